import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRuntime } from '#test/runtime-world.ts'
import { openTails, type TailReader } from './tails.ts'

/** What a real runtime tells of each kind of event, as a tail's reader has it (clients.md §3). */
const CODE = `export default {
  async email(message) { console.log('mail', { n: 1 }); message.setReject('no') },
  async fetch(request) {
    if (request.method === 'PUT') throw new RangeError('too far')
    console.error('asked')
    return new Response('hi', { status: 201 })
  },
  async queue(batch) { console.info(batch.messages[0].body) },
  async scheduled(controller) { console.warn(controller.cron) },
}`

interface Shown {
  readonly outcome: string
  readonly exceptions: readonly { readonly name: string; readonly message: string; readonly stack: string }[]
  readonly logs: readonly { readonly message: readonly unknown[]; readonly level: string }[]
  readonly eventTimestamp: number
  readonly event: Readonly<Record<string, unknown>>
}

test('mail, requests, batches and crons, in the shapes of wrangler tail', { timeout: 20_000 }, async () => {
  await using world = await openTestRuntime()
  const { accountId, runtime } = world
  const tails = openTails({ now: Date.now })
  const told: Shown[] = []
  const reader: TailReader = { tell: (event) => told.push(JSON.parse(event)), end: () => undefined }
  const place = { accountId, scriptName: 'worker' }
  const tail = tails.open({ ...place, filters: [], isAllowed: async () => true })
  tails.find(tail?.key ?? '')?.read(reader)
  const began = Date.now()
  /** An invocation is told of once it is wholly over, which may be after the answer. */
  const isTold = async (count: number) => {
    while (world.traces.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  await (await world.email(CODE)).traced
  await isTold(1)
  const version = world.version(CODE)
  const ask = async (method: string) => {
    const headers: [string, string][] = [
      ['x-a', '1'],
      ['authorization', 'Bearer secret'],
    ]
    const asked = await runtime.fetch(version, { method, url: 'https://a.example/p?q=1', headers })
    if (asked.kind === 'answered') for await (const _ of asked.response.body);
  }
  await ask('POST')
  await isTold(2)
  await ask('PUT')
  await isTold(3)
  const body = Buffer.from('text')
  const message = { id: 'm1', body, contentType: 'text' as const, attempts: 1, sentAt: began }
  await runtime.queue(version, { queueName: 'mail-events', messages: [message] })
  await isTold(4)
  await runtime.scheduled(version, '*/5 * * * *', began)
  await isTold(5)
  for (const trace of world.traces) tails.publish(trace)

  for (const { eventTimestamp } of told) assert.ok(eventTimestamp >= began && eventTimestamp <= Date.now())
  assert.deepEqual(
    told.map(({ outcome, logs }) => [outcome, logs.map(({ level, message: said }) => [level, ...said])]),
    [
      ['ok', [['log', 'mail', { n: 1 }]]],
      ['ok', [['error', 'asked']]],
      ['exception', []],
      ['ok', [['info', 'text']]],
      ['ok', [['warn', '*/5 * * * *']]],
    ],
  )
  const [mail, asked, failed, batch, cron] = told
  assert.deepEqual(Object.keys(mail?.event ?? {}), ['mailFrom', 'rcptTo', 'rawSize'])
  assert.deepEqual(asked?.event['response'], { status: 201 })
  const { method, url, headers } = Object(asked?.event['request'])
  assert.deepEqual(
    [method, url, headers['x-a'], headers['authorization']],
    ['POST', 'https://a.example/p?q=1', '1', 'REDACTED'],
  )
  const [{ name, message: said, stack } = assert.fail('it threw')] = failed?.exceptions ?? []
  assert.deepEqual([name, said], ['RangeError', 'too far'])
  assert.match(stack, /^ {4}at /)
  assert.deepEqual(batch?.event, { queue: 'mail-events', batchSize: 1 })
  assert.deepEqual(cron?.event, { cron: '*/5 * * * *', scheduledTime: began })
})
