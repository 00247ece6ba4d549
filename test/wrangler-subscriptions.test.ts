import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'
import { until } from '#test/queue-world.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** `wrangler queues subscription …` (clients.md §3.4), and what is in the queue then. */
let instance: Instance
let wrangler: Wrangler

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
  await wrangler.prints('queues create mail-events')
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

interface Subscription {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly source: object
  readonly events: readonly string[]
}

const SENDING = '--source email.sending --events message.delivered,message.bounced'
const of = (domain: string) => `--zone-id ${instance.dev.zone_id} --domain ${domain}`

async function listed(queue = 'mail-events'): Promise<readonly Subscription[]> {
  const { stdout } = await wrangler.run(['queues', 'subscription', 'list', queue, '--json'])
  return JSON.parse(stdout)
}

test('create, list and get', async () => {
  assert.match(
    await wrangler.prints(`queues subscription create mail-events ${SENDING} ${of('yourdomain.com')}`),
    /Successfully created event subscription 'mail-events email.sending' with id '<id>'/,
  )
  assert.match(
    await wrangler.prints('queues subscription list mail-events'),
    /│ <id> │ mail-events email\.sending │ email\.sending │ message\.delivered, message\.bounced │ yourdomain\.com │ Yes │/,
  )
  const [subscription] = await listed()
  const got = await wrangler.prints(`queues subscription get mail-events --id ${subscription?.id}`)
  assert.match(got, /Source: +email\.sending/)
  assert.match(got, /Resource: +yourdomain\.com/)
  assert.match(got, /Events: +message\.delivered, message\.bounced/)
  await wrangler.prints('queues create other')
  assert.deepEqual(await listed('other'), [])
  assert.match(
    await wrangler.refuses(`queues subscription get other --id ${subscription?.id}`),
    /does not belong to queue 'other'/,
  )
})

test('what is refused, with the reason', async () => {
  const create = (rest: string) => wrangler.refuses(`queues subscription create mail-events ${rest}`)
  assert.match(
    await create(`--source email.sending --events message.opened ${of('yourdomain.com')}`),
    /email\.sending has no event "message\.opened": there are message\.deferred/,
  )
  assert.match(await create(`${SENDING} ${of('elsewhere.example')}`), /no such domain that sends/)
  assert.match(
    await create('--source r2 --events bucket.created'),
    /There are email\.sending and email\.routing/,
  )
  assert.match(
    await wrangler.refuses(`queues subscription create none ${SENDING} ${of('yourdomain.com')}`),
    /Queue "none" does not exist/,
  )
  assert.match(
    await wrangler.refuses(`queues subscription get mail-events --id ${'f'.repeat(32)}`),
    /code: 7003/,
  )
})

async function ask(method: string, path: string, body?: object) {
  const { api, account_id, api_token } = instance.dev
  const response = await fetch(`${api}/accounts/${account_id}${path}`, {
    method,
    headers: { authorization: `Bearer ${api_token}` },
    ...(body && { body: JSON.stringify(body) }),
  })
  return JSON.parse(await response.text())
}

async function backlog(): Promise<number> {
  const [queue] = (await ask('GET', '/queues?name=mail-events')).result
  return (await ask('GET', `/queues/${queue.queue_id}/metrics`)).result.backlog_count
}

test('mail that is sent is told to the queue', async () => {
  const to = ['delivered+told', 'bounce+told', 'deferred+untold'].map(
    (name) => `${name}@simulator.posthorn.test`,
  )
  await instance.send({ from: 'app@yourdomain.com', to, subject: 's', text: 't' })
  await until(async () => (await backlog()) === 2 || undefined)
})

test('update', async () => {
  const [subscription] = await listed()
  assert.ok(subscription)
  await wrangler.prints(
    `queues subscription update mail-events --id ${subscription.id} --name told --enabled false --events message.failed`,
  )
  const [updated] = await listed()
  assert.deepEqual(updated && [updated.name, updated.enabled, updated.events], [
    'told',
    false,
    ['message.failed'],
  ])
})

test('delete', async () => {
  const [subscription] = await listed()
  assert.match(
    await wrangler.prints(`queues subscription delete mail-events --id ${subscription?.id} --force`),
    /Successfully deleted event subscription 'told'/,
  )
  assert.match(await wrangler.prints('queues subscription list mail-events'), /No event subscriptions found/)
  assert.equal(wrangler.strayConnections(), 0)
})
