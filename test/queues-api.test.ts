import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type Cloudflare from 'cloudflare'
import { checkedFetch } from '#test/checked-fetch.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { type ApiError, type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'

/** Queues over REST: with the official SDK, and what its callers get wrong. */
let instance: Instance
let client: Cloudflare
let id: string

before(async () => {
  instance = await startInstance()
  client = sdkClient(instance.dev)
  id = (await client.queues.create({ ...account(), queue_name: 'sdk' })).queue_id ?? ''
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })

async function ask(method: string, path: string, body?: unknown) {
  const { api, account_id, api_token } = instance.dev
  const response = await checkedFetch(`${api}/accounts/${account_id}/queues${path}`, {
    method,
    headers: { authorization: `Bearer ${api_token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  // The test states the shape that the API documents.
  const { errors, result } = (await response.json()) as {
    readonly errors: readonly ApiError[]
    readonly result: unknown
  }
  const [error] = errors
  return { status: response.status, code: error?.code, pointer: error?.source?.pointer, result }
}

test('a queue, its consumer and its messages', async () => {
  const { queues } = client
  for (const name of ['w', 'x']) await deployWorker(instance, name)
  const edited = await queues.edit(id, { ...account(), settings: { delivery_delay: 3 } })
  assert.deepEqual(edited.settings, {
    ...{ delivery_delay: 3, delivery_paused: false, message_retention_period: 345_600 },
  })
  const replaced = await queues.update(id, { ...account(), settings: { message_retention_period: 60 } })
  assert.equal(replaced.settings?.delivery_delay, 3)
  const names: (string | undefined)[] = []
  for await (const { queue_name: name } of queues.list(account())) names.push(name)
  assert.deepEqual(names, ['sdk'])
  const consumer = await queues.consumers.create(id, {
    ...{ ...account(), type: 'worker', script_name: 'w', settings: { batch_size: 7 } },
  })
  assert.deepEqual(consumer.settings, {
    ...{ batch_size: 7, max_wait_time_ms: 5000, max_retries: 3, retry_delay: 0 },
  })
  const consumerId = consumer.consumer_id ?? ''
  const of = { ...account(), queue_id: id }
  const changed = await queues.consumers.update(consumerId, { ...of, type: 'worker', script_name: 'x' })
  assert.deepEqual(await queues.consumers.get(consumerId, of), changed)
  await queues.consumers.delete(consumerId, of)
  await queues.messages.push(id, { ...account(), body: 'text', content_type: 'text' })
  const pushed = await queues.messages.bulkPush(id, {
    ...account(),
    messages: [
      { body: { a: 1 }, content_type: 'json', delay_seconds: 60 },
      { body: 'b', content_type: 'text' },
    ],
  })
  assert.ok(pushed)
  assert.equal((await queues.getMetrics(id, account())).backlog_count, 3)
  assert.equal((await queues.getMetrics(id, account())).backlog_bytes, 4 + 7 + 1)
  await queues.purge.start(id, { ...account(), delete_messages_permanently: true })
  assert.equal((await queues.getMetrics(id, account())).backlog_count, 0)
})

const wrong: readonly (readonly [
  what: string,
  ask: () => ReturnType<typeof ask>,
  code: number,
  pointer: string | undefined,
])[] = [
  ['a name with a space', () => ask('POST', '', { queue_name: 'a b' }), 1001, '/queue_name'],
  ['a name that is taken', () => ask('POST', '', { queue_name: 'sdk' }), 11_009, '/queue_name'],
  [
    'a delay of two days',
    () => ask('POST', '', { queue_name: 'q', settings: { delivery_delay: 172_800 } }),
    ...([1001, '/settings/delivery_delay'] as const),
  ],
  ['another name', () => ask('PATCH', `/${id}`, { queue_name: 'other' }), 1001, '/queue_name'],
  ['no script', () => ask('POST', `/${id}/consumers`, { type: 'worker' }), 1001, '/script_name'],
  [
    'a consumer that pulls',
    () => ask('POST', `/${id}/consumers`, { type: 'http_pull' }),
    ...([1001, '/type'] as const),
  ],
  [
    'a script that is not there',
    () => ask('POST', `/${id}/consumers`, { script_name: 'nobody' }),
    ...([10_007, '/script_name'] as const),
  ],
  [
    'its own dead letters',
    () => ask('POST', `/${id}/consumers`, { script_name: 'w', dead_letter_queue: 'sdk' }),
    ...([1001, '/dead_letter_queue'] as const),
  ],
  ['a message without a body', () => ask('POST', `/${id}/messages`, {}), 1001, '/body'],
  [
    'no base64',
    () => ask('POST', `/${id}/messages`, { body: '*', content_type: 'bytes' }),
    ...([1001, '/body'] as const),
  ],
  [
    'a message of 128,001 octets',
    () => ask('POST', `/${id}/messages/batch`, { messages: [{ body: 'x' }, { body: 'x'.repeat(128_001) }] }),
    ...([1001, '/messages/1/body'] as const),
  ],
  [
    '101 messages',
    () =>
      ask('POST', `/${id}/messages/batch`, { messages: Array.from({ length: 101 }, () => ({ body: 'x' })) }),
    ...([1001, '/messages'] as const),
  ],
]

for (const [what, call, code, pointer] of wrong) {
  test(`${what} is refused, and nothing is done`, async () => {
    const answered = await call()
    assert.deepEqual([answered.status, answered.code, answered.pointer], [400, code, pointer])
    assert.equal((await client.queues.getMetrics(id, account())).backlog_count, 0)
  })
}

test('what is not there', async () => {
  const none = 'f'.repeat(32)
  for (const path of [`/${none}`, `/${none}/consumers`, `/${none}/metrics`]) {
    assert.deepEqual((({ status, code }) => [status, code])(await ask('GET', path)), [404, 11_000])
  }
  const consumer = await ask('GET', `/${id}/consumers/${none}`)
  assert.deepEqual([consumer.status, consumer.code], [404, 7003])
})

test('every change leaves its line in the audit log', async () => {
  const { api, account_id, api_token } = instance.dev
  const response = await fetch(`${api}/accounts/${account_id}/audit_logs?direction=asc`, {
    headers: { authorization: `Bearer ${api_token}` },
  })
  const lines: readonly { readonly action: { readonly type: string } }[] = JSON.parse(
    await response.text(),
  ).result
  assert.deepEqual(
    lines.map(({ action }) => action.type).filter((type) => type.startsWith('queue')),
    [
      ...['queue.create', 'queue.update', 'queue.update'],
      ...['queue_consumer.create', 'queue_consumer.update', 'queue_consumer.delete', 'queue.purge'],
    ],
  )
})
