import assert from 'node:assert/strict'
import type { DomainEvent } from '#model/event.ts'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import type { SettledEvent } from './count-outcome.ts'
import { openReputation, type ReputationOptions } from './reputation.ts'

const NOON = Date.UTC(2026, 10, 20, 12, 30)
const HOUR_MS = 3_600_000
const ACCOUNT = 'a'.repeat(32)
const DOMAIN = 'd'.repeat(32)

const domainInsert = statement(
  'test.domain',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at) values ($1, $2, $3, $4, 'active', 'off', 1, 0, 0, 0)`,
)
const accountInsert = statement(
  'test.account',
  `insert into account (id, name, sending_enabled, created_at) values ($1, 'A', 1, 0)`,
)
const zoneInsert = statement(
  'test.zone',
  `insert into zone (id, account_id, name, status, created_at) values ($1, $2, 'one.example', 'active', 0)`,
)
const told = statement<{ type: string; account_id: string; domain_id: string; detail: string }>(
  'test.told',
  `select type, account_id, domain_id, detail from event where type like 'deliverability%' order by seq`,
)

async function world({ store }: OpenStore, more: Partial<ReputationOptions> = {}) {
  await store.commit([
    { statement: accountInsert, params: [ACCOUNT] },
    { statement: zoneInsert, params: ['f'.repeat(32), ACCOUNT] },
    { statement: domainInsert, params: [DOMAIN, 'f'.repeat(32), ACCOUNT, 'one.example'] },
  ])
  const clock = { now: NOON }
  const open = () =>
    openReputation({
      ...{ store, windowDays: 7, simulator: 'simulator.posthorn.test', now: () => clock.now },
      thresholds: { delivery: 0.95, hardBounce: 0.02, complaint: 0.001 },
      takenBy: async () => undefined,
      ...more,
    })
  const reputation = open()
  const record = async (events: readonly SettledEvent[]) => {
    const committed = await store.commit(await reputation.writesFor(events))
    assert.ok(committed.ok)
  }
  const events = async () =>
    (await store.all(told, [])).map(({ type, detail }) => ({
      type,
      detail: JSON.parse(detail) as DomainEvent['detail'],
    }))
  return { clock, open, reputation, record, events }
}

let ids = 0
function event(
  type: SettledEvent['type'],
  more: Partial<SettledEvent> = {},
  detail: SettledEvent['detail'] = {},
) {
  const terminal = type !== 'complained' && type !== 'deferred'
  const about = { sender: 'app@one.example', recipient: `${++ids}@example.com` }
  return {
    ...{ type, at: NOON, accountId: ACCOUNT, messageId: 'm', deliveryId: String(ids), terminal },
    ...{ domain: { id: DOMAIN }, detail: { ...about, ...detail } },
    ...more,
  } satisfies SettledEvent
}
const many = (count: number, make: () => SettledEvent) => Array.from({ length: count }, make)

onBothEngines('what counts: deliveries that ended and what came back of them', async (_t, open) => {
  const { reputation, record } = await world(open, { takenBy: async () => 'mx.google.com' })
  await record([
    event('delivered', {}, { recipient: 'x@gmail.com' }),
    event('delivered', {}, { host: 'mx1.mail.protection.outlook.com' }),
    event('delivered'),
    event('bounced', {}, { cause: 'recipient-unknown' }),
    event('bounced', {}, { cause: 'content-spam' }),
    event('bounced', {}, { cause: 'recipient-full' }),
    event('failed', {}, { cause: 'host-unreachable' }),
    event('bounced', { terminal: false }, { cause: 'recipient-unknown' }),
    event('complained', {}, { host: 'reporter.example' }),
    event('accepted', { deliveryId: null }),
    event('deferred'),
    event('dropped', {}, { cause: 'cancelled' }),
    event('rejected', { messageId: null, deliveryId: null }, { cause: 'suppressed' }),
    event('delivered', {}, { sender: '' }),
    event('bounced', {}, { recipient: 'bounce@Simulator.posthorn.test', cause: 'recipient-unknown' }),
    event('dns-drifted', { messageId: null, deliveryId: null }),
  ])
  const { total, providers } = await reputation.figures(ACCOUNT, DOMAIN)
  assert.deepEqual(total, { settled: 7, delivered: 2, hardBounced: 3, complained: 1 })
  assert.deepEqual(providers, [
    { provider: 'other', settled: 5, delivered: 1, hardBounced: 2, complained: 0 },
    // What came back later is its provider's who had taken it in.
    { provider: 'google', settled: 1, delivered: 0, hardBounced: 1, complained: 1 },
    { provider: 'microsoft', settled: 1, delivered: 1, hardBounced: 0, complained: 0 },
  ])
  const none = { settled: 0, delivered: 0, hardBounced: 0, complained: 0 }
  assert.deepEqual((await reputation.figures('b'.repeat(32), DOMAIN)).total, none)
})

onBothEngines('the window slides by the hour', async (_t, open) => {
  const { clock, reputation, record } = await world(open)
  await record([event('delivered', { at: NOON - 24 * HOUR_MS }), event('delivered')])
  const settled = async (days: number) => (await reputation.figures(ACCOUNT, DOMAIN, days)).total.settled
  assert.deepEqual([await settled(1), await settled(2), await settled(7)], [1, 2, 2])
  clock.now += 23 * HOUR_MS
  assert.equal(await settled(1), 1)
  clock.now += HOUR_MS
  assert.equal(await settled(1), 0)
  const { settled: between } = await reputation.between(ACCOUNT, NOON - 25 * HOUR_MS, NOON)
  assert.equal(between, 1, 'the hour of the end is not in it')
  clock.now += 40 * 24 * HOUR_MS
  await reputation.sweep()
  clock.now = NOON
  assert.equal(await settled(7), 0)
})

onBothEngines('a crossing makes one event, whoever looks, and one when it is over', async (_t, open) => {
  const { clock, open: again, reputation, record, events } = await world(open)
  await record(many(98, () => event('delivered')))
  assert.equal(await reputation.look(), 0)
  await record(many(3, () => event('bounced', {}, { cause: 'recipient-unknown' })))
  assert.equal(await reputation.look(), 0, 'not looked at again within a minute')
  clock.now += 60_000
  const others = [reputation, again(), again()]
  await Promise.all(others.map((each) => each.look()))
  const first = await events()
  assert.deepEqual(first, [
    {
      type: 'deliverability-declined',
      detail: {
        ...{ domain: 'one.example', service: 'sending', problems: ['hard_bounce_rate.high'] },
        figures: { settled: 101, delivered: 98, hardBounced: 3, complained: 0, days: 7 },
      },
    },
  ])
  const { problems, problemsSince } = await reputation.figures(ACCOUNT, DOMAIN)
  assert.deepEqual([problems, problemsSince], [['hard_bounce_rate.high'], clock.now])
  await record(many(9, () => event('bounced', {}, { cause: 'policy' })))
  clock.now += 60_000
  await reputation.look()
  const second = await events()
  assert.deepEqual(second.at(-1)?.detail.problems, ['delivery_rate.low'])
  assert.equal(second.length, 2, 'a problem that goes on is not told of again')
  // Nothing more is sent: it is over when the window has left it behind.
  clock.now += 6 * 24 * HOUR_MS
  await reputation.look()
  assert.equal((await events()).length, 2)
  clock.now += 24 * HOUR_MS
  await reputation.look()
  const [, , last, ...more] = await events()
  assert.deepEqual([last?.type, more], ['deliverability-restored', []])
  assert.deepEqual(last?.detail.problems, ['delivery_rate.low', 'hard_bounce_rate.high'])
  assert.equal((await reputation.figures(ACCOUNT, DOMAIN)).problemsSince, null)
})

onBothEngines(
  'a domain that is gone is told of to nobody, and its mail counts for its account',
  async (_t, open) => {
    const { reputation, record, events } = await world(open)
    await record(many(120, () => event('bounced', { domain: { id: 'e'.repeat(32) } }, { cause: 'policy' })))
    await record(many(5, () => event('bounced', { domain: undefined }, { cause: 'policy' })))
    await reputation.look()
    assert.deepEqual(await events(), [])
    assert.equal((await reputation.between(ACCOUNT, NOON - 30 * 60_000, NOON + 30 * 60_000)).hardBounced, 125)
    await reputation.sweep()
    assert.equal(await reputation.look(), 0)
  },
)
