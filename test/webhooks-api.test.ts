import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type Cloudflare from 'cloudflare'
import { Webhook as Verifier } from 'standardwebhooks'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type ApiError, type Instance, startInstance } from '#test/instance.ts'
import { until } from '#test/queue-world.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { answering, OK, openReceiver, type Receiver } from '#test/webhook-receiver.ts'

/** Webhooks and event subscriptions over REST, from an event to whoever is told of it. */
let instance: Instance
let client: Cloudflare
let receiver: Receiver

before(async () => {
  instance = await startInstance()
  client = sdkClient(instance.dev)
  receiver = await openReceiver()
})
after(async () => {
  await instance[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

async function ask(method: string, path: string, body?: unknown) {
  const { api, account_id, api_token } = instance.dev
  const response = await checkedFetch(`${api}/accounts/${account_id}${path}`, {
    method,
    headers: { authorization: `Bearer ${api_token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  // The fetch held it against the document.
  const answer = JSON.parse(await response.text())
  const [error]: readonly (ApiError | undefined)[] = answer.errors
  return {
    ...{ status: response.status, result: answer.result, info: answer.result_info },
    ...{ code: error?.code, pointer: error?.source?.pointer },
  }
}

const WEBHOOKS = '/email/webhooks'
const url = (path = '/hooks') => `http://localhost:${receiver.port}${path}`

async function create(wish: object = {}) {
  const { status, result } = await ask('POST', WEBHOOKS, { url: url(), ...wish })
  assert.equal(status, 200)
  return result
}

function send(...names: readonly string[]) {
  const to = names.map((name) => `${name}@simulator.posthorn.test`)
  return instance.send({ from: 'app@yourdomain.com', to, subject: 'Told', text: 't' })
}

/** What came to a path, once there are so many. */
const arrived = (path: string, count: number) =>
  until(() => {
    const found = receiver.received.filter((one) => one.path === path)
    return found.length >= count ? found : undefined
  })

test('what happens to mail is told, signed, and is in the log; the secret is shown once', async () => {
  const made = await create({ url: url('/all'), description: 'd' })
  assert.match(made.secret, /^whsec_/)
  const { body } = await send('delivered+hook', 'bounce+hook')
  const told = await arrived('/all', 2)
  assert.deepEqual(told.map(({ type }) => type).sort(), [
    'cf.email.sending.message.bounced',
    'cf.email.sending.message.delivered',
  ])
  for (const { body: sent, headers } of told) {
    new Verifier(made.secret).verify(sent, headers as Record<string, string>)
    const { payload, source, metadata } = JSON.parse(sent)
    assert.equal(payload.messageId, body.result?.message_id)
    assert.deepEqual(source, {
      ...{ type: 'email.sending', zoneId: instance.dev.zone_id, domain: 'yourdomain.com' },
    })
    assert.deepEqual([metadata.accountId, metadata.eventSubscriptionId], [instance.dev.account_id, made.id])
  }
  const { secret: _, ...shown } = made
  assert.deepEqual((await ask('GET', `${WEBHOOKS}/${made.id}`)).result, shown)
  const bothDelivered = () =>
    until(async () => {
      const { result } = await ask('GET', `${WEBHOOKS}/${made.id}/deliveries?status=delivered`)
      return result.length === 2 ? result : undefined
    })
  const log = await bothDelivered()
  const whole = (await ask('GET', `${WEBHOOKS}/${made.id}/deliveries/${log[0].id}`)).result
  assert.deepEqual([whole.log[0].status, whole.log[0].response], [200, 'thanks'])
  const first = await ask('GET', `${WEBHOOKS}/${made.id}/deliveries?per_page=1`)
  assert.equal(first.info.count, 1)
  const second = await ask('GET', `${WEBHOOKS}/${made.id}/deliveries?per_page=1&cursor=${first.info.cursor}`)
  assert.notEqual(second.result[0].id, first.result[0].id)
  const replayed = await ask('POST', `${WEBHOOKS}/${made.id}/deliveries/${log[0].id}/replay`)
  assert.equal(replayed.status, 200)
  const again = await arrived('/all', 3)
  assert.equal(again[2]?.headers['webhook-id'], log[0].webhook_message_id)
  await bothDelivered()
  const range = { since: '2020-01-01', status: 'all' }
  assert.deepEqual((await ask('POST', `${WEBHOOKS}/${made.id}/replay`, range)).result, {
    ...{ replayed: 2, more: false },
  })
  await arrived('/all', 5)
  assert.equal((await ask('DELETE', `${WEBHOOKS}/${made.id}`)).status, 200)
  assert.equal((await ask('GET', `${WEBHOOKS}/${made.id}`)).status, 404)
  assert.equal((await ask('GET', `${WEBHOOKS}/${made.id}/deliveries/${log[0].id}`)).status, 404)
})

test('routed mail has events of its own', async () => {
  const events = ['cf.email.routing.message.dropped', 'cf.email.routing.message.forwarded']
  const { id } = await create({ url: url('/routed'), events, domains: ['yourdomain.com'] })
  const rule = {
    matchers: [{ type: 'literal' as const, field: 'to' as const, value: 'gone@yourdomain.com' }],
    actions: [{ type: 'drop' as const }],
  }
  await client.emailRouting.rules.create({ zone_id: instance.dev.zone_id, ...rule })
  await instance.send({ from: 'app@yourdomain.com', to: 'gone@yourdomain.com', subject: 's', text: 't' })
  const [told] = await arrived('/routed', 1)
  const { payload, source, type } = JSON.parse(told?.body ?? '')
  assert.deepEqual([type, source.type], ['cf.email.routing.message.dropped', 'email.routing'])
  assert.deepEqual([payload.recipient, payload.routing.action], ['gone@yourdomain.com', 'drop'])
  await ask('DELETE', `${WEBHOOKS}/${id}`)
})

test('a test says how it went, and a secret is changed over', async () => {
  const made = await create({ url: url('/test'), enabled: false })
  const works = (await ask('POST', `${WEBHOOKS}/${made.id}/test`)).result
  assert.deepEqual([works.works, works.attempt.status], [true, 200])
  receiver.behave(answering(500, 'no'))
  const event = 'cf.email.routing.message.forwarded'
  const fails = (await ask('POST', `${WEBHOOKS}/${made.id}/test`, { event })).result
  assert.deepEqual([fails.works, fails.attempt.status, fails.attempt.response], [false, 500, 'no'])
  receiver.behave(OK)
  const rotated = (await ask('POST', `${WEBHOOKS}/${made.id}/rotate_secret`, { overlap_seconds: 60 })).result
  assert.notEqual(rotated.secret, made.secret)
  await ask('POST', `${WEBHOOKS}/${made.id}/test`)
  const { body, headers } = (await arrived('/test', 3)).at(-1) ?? assert.fail()
  for (const secret of [made.secret, rotated.secret])
    new Verifier(secret).verify(body, headers as Record<string, string>)
  // Three of the ten of a minute were asked for.
  const more = () => ask('POST', `${WEBHOOKS}/${made.id}/test`)
  for (let count = 3; count < 10; count++) assert.equal((await more()).status, 200)
  const refused = await more()
  assert.deepEqual([refused.status, refused.code], [429, 10004])
  await ask('DELETE', `${WEBHOOKS}/${made.id}`)
})

test('a receiver that fails is shown as failing, and as well again', async () => {
  const { id } = await create({ url: url('/fails'), events: ['cf.email.sending.message.delivered'] })
  receiver.behave(answering(503))
  await send('delivered+fails')
  const failing = await until(async () => {
    const { result } = await ask('GET', `${WEBHOOKS}/${id}`)
    return result.status === 'failing' ? result : undefined
  })
  assert.ok(failing.failing_since)
  receiver.behave(OK)
  assert.equal((await ask('PATCH', `${WEBHOOKS}/${id}`, { enabled: true })).result.status, 'active')
  await arrived('/fails', 2)
  await ask('DELETE', `${WEBHOOKS}/${id}`)
})

test('what is wrong is named', async () => {
  const refused = async (wish: object) => {
    const { status, code, pointer } = await ask('POST', WEBHOOKS, { url: url(), ...wish })
    return [status, code, pointer]
  }
  const bad = [
    '',
    'x',
    'ftp://x.example/',
    'http://192.0.2.1/',
    'https://10.0.0.1/',
    'https://u:p@x.example/',
  ]
  for (const wrong of bad) assert.deepEqual(await refused({ url: wrong }), [400, 1001, '/url'], wrong)
  assert.deepEqual(await refused({ events: ['message.delivered'] }), [400, 1001, '/events/0'])
  assert.deepEqual(await refused({ events: [] }), [400, 1001, '/events'])
  assert.deepEqual(await refused({ domains: ['yourdomain.com', 'elsewhere.example'] }), [
    400,
    1001,
    '/domains/1',
  ])
  assert.deepEqual(await refused({ domains: ['not a domain'] }), [400, 1001, '/domains/0'])
  assert.equal((await ask('GET', `${WEBHOOKS}/${'f'.repeat(32)}`)).status, 404)
  const { id } = await create()
  assert.equal((await ask('POST', `${WEBHOOKS}/${id}/replay`, { since: 'soon' })).pointer, '/since')
  assert.equal((await ask('GET', `${WEBHOOKS}/${id}/deliveries?cursor=x`)).pointer, '?cursor')
  assert.equal((await ask('POST', `${WEBHOOKS}/${id}/rotate_secret`, { overlap_seconds: -1 })).status, 400)
  await ask('DELETE', `${WEBHOOKS}/${id}`)
})

test('event subscriptions by the official SDK', async () => {
  const account = { account_id: instance.dev.account_id }
  const queue = await client.queues.create({ ...account, queue_name: 'sdk' })
  const { subscriptions } = client.queues
  const source = { type: 'email.routing', zone_id: instance.dev.zone_id, domain: 'YourDomain.com' }
  const destination = { type: 'queues.queue' as const, queue_id: queue.queue_id ?? '' }
  const events = ['message.forwarded', 'message.handled']
  // The SDK's types know no source of mail.
  const wish = { ...account, name: 'sdk', enabled: true, source: source as object, destination, events }
  const made = await subscriptions.create(wish)
  assert.deepEqual(made.source, { ...source, domain: 'yourdomain.com' })
  assert.deepEqual(await subscriptions.get(made.id, account), made)
  const updated = await subscriptions.update(made.id, { ...account, events: ['message.dropped'] })
  assert.deepEqual(updated.events, ['message.dropped'])
  const names: string[] = []
  for await (const { name } of subscriptions.list({ ...account, order: 'name' })) names.push(name)
  assert.deepEqual(names, ['sdk'])
  assert.equal((await subscriptions.delete(made.id, account)).id, made.id)
  const wrong = await ask('POST', '/event_subscriptions/subscriptions', {
    ...{ source: { ...source, type: 'email.sending' }, destination, events },
  })
  assert.deepEqual([wrong.status, wrong.pointer], [400, '/events/0'])
  const elsewhere = { type: 'queues.queue', queue_id: 'f'.repeat(32) }
  const none = await ask('POST', '/event_subscriptions/subscriptions', {
    ...{ source, destination: elsewhere, events },
  })
  assert.deepEqual([none.status, none.code], [404, 11000])
})

test('changes are in the audit log, without the secret', async () => {
  const { id, secret } = await create({ url: url('/audited') })
  await ask('PATCH', `${WEBHOOKS}/${id}`, { description: 'x' })
  const { result: rotated } = await ask('POST', `${WEBHOOKS}/${id}/rotate_secret`)
  await ask('POST', `${WEBHOOKS}/${id}/replay`, { since: '2020-01-01' })
  await ask('DELETE', `${WEBHOOKS}/${id}`)
  const { result: lines } = await ask('GET', '/audit_logs?per_page=1000')
  const own: readonly { readonly action: { readonly type: string } }[] = lines.filter(
    ({ resource }: { resource: { id: string } }) => resource.id === id,
  )
  assert.deepEqual(
    own.map(({ action }) => action.type).toReversed(),
    ['create', 'update', 'rotate_secret', 'replay', 'delete'].map((verb) => `webhook.${verb}`),
  )
  for (const known of [secret, rotated.secret]) assert.ok(!JSON.stringify(lines).includes(known))
  assert.ok(!instance.log().includes('whsec_'))
})
