import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeZone } from '#registry/domains/remove-zone.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { eventOf, NOTHING, openNotifyWorld } from '#test/notify-world.ts'
import { until } from '#test/queue-world.ts'
import { onBothEngines } from '#test/stores.ts'
import type { EventSubscription, SubscriptionWish } from './event-subscription.ts'
import { SUBSCRIPTIONS_PER_SOURCE } from './event-subscriptions.ts'

const PAGE = { order: 'created_at', direction: 'asc', offset: 0, limit: 50 } as const

/** An account with a domain and a queue. */
async function openWorld(store: Store) {
  const world = await openNotifyWorld(store)
  const of = await world.addAccount()
  const queue = await world.addQueue(of.accountId)
  const { subscriptions } = world.notify
  const wish: SubscriptionWish = {
    ...{ name: 'mail-events email.sending', enabled: true, source: 'email.sending', zoneId: of.zoneId },
    ...{ domain: 'yourdomain.com', queueId: queue.id },
    events: ['message.delivered', 'message.bounced'],
  }
  const place = { accountId: of.accountId, queueId: queue.id }

  async function subscribe(more: Partial<SubscriptionWish> = {}): Promise<EventSubscription> {
    const made = await subscriptions.createSubscription(of.accountId, { ...wish, ...more }, NOTHING)
    assert.ok(typeof made !== 'string')
    return made
  }

  return {
    ...{ ...world, of, queue, wish, place, subscriptions, subscribe },
    /** What is in the queue once it has so many, in its order. */
    inQueue: (count: number) =>
      until(async () => {
        const { messages } = await world.queues.backlog(place)
        if (messages < count) return undefined
        const claimed = await world.queues.claimBatch(queue.id, { size: 100, waitMs: 0, leaseMs: 60_000 })
        assert.ok(claimed)
        return claimed.messages.map(({ body, contentType }) => ({
          ...{ contentType, message: JSON.parse(body.toString()) },
        }))
      }),
    async [Symbol.asyncDispose]() {
      await world.notify.close()
      assert.deepEqual(world.errors, [])
    },
  }
}

onBothEngines('a queue gets the events of its domain that it asked for, in order', async (_, { store }) => {
  await using world = await openWorld(store)
  const { of, notify } = world
  const subscription = await world.subscribe()
  await world.subscribe({ enabled: false })
  const messageId = newId()
  const elsewhere = { ...of, domain: { name: 'news.yourdomain.com', zoneId: of.zoneId } }
  const routed = { routed: { recipient: 'info@yourdomain.com' } }
  await world.project(
    eventOf(of, 'deferred', { messageId }),
    eventOf(of, 'delivered', { messageId }),
    eventOf(elsewhere, 'delivered'),
    // A forward of the same domain is routing's.
    eventOf(of, 'delivered', { detail: routed as object }),
    eventOf(of, 'bounced', { messageId }),
  )
  notify.begin()
  const found = await world.inQueue(2)
  assert.deepEqual(
    found.map(({ contentType, message }) => [contentType, message.type]),
    ['delivered', 'bounced'].map((word) => ['json', `cf.email.sending.message.${word}`]),
  )
  const { metadata, source } = found[0]?.message ?? {}
  assert.equal(metadata.eventSubscriptionId, subscription.id)
  assert.deepEqual(source, { type: 'email.sending', zoneId: of.zoneId, domain: 'yourdomain.com' })
  assert.deepEqual(await store.get(waiting, []), { waiting: 0 })
})

const waiting = statement<{ waiting: number }>(
  'test.waiting',
  'select count(*) as waiting from queue_notification',
)

onBothEngines('routed mail goes to those who subscribe to it', async (_, { store }) => {
  await using world = await openWorld(store)
  await world.subscribe({ source: 'email.routing', events: ['message.forwarded'] })
  const routed = { routed: { recipient: 'info@yourdomain.com', action: 'forward' } }
  await world.project(
    eventOf(world.of, 'delivered'),
    eventOf(world.of, 'delivered', { detail: routed as object }),
  )
  world.notify.begin()
  const [told, ...rest] = await world.inQueue(1)
  assert.deepEqual([told?.message.type, rest], ['cf.email.routing.message.forwarded', []])
})

onBothEngines('more than one send takes goes in several, none lost, in order', async (_, { store }) => {
  await using world = await openWorld(store)
  await world.subscribe()
  const smtpReply = `550 5.1.1 ${'x'.repeat(3000)}`
  const events = Array.from({ length: 250 }, () => eventOf(world.of, 'bounced', { detail: { smtpReply } }))
  await world.project(...events)
  world.notify.begin()
  await until(async () => (await world.queues.backlog(world.place)).messages === 250 || undefined)
  const seen: string[] = []
  for (let left = 250; left > 0; left -= 50) {
    const batch = await world.queues.claimBatch(world.queue.id, { size: 50, waitMs: 0, leaseMs: 60_000 })
    for (const { body } of batch?.messages ?? []) seen.push(JSON.parse(body.toString()).payload.eventId)
  }
  assert.deepEqual(seen.map((id) => id.replaceAll('-', '')).sort(), events.map(({ id }) => id).sort())
})

onBothEngines(
  'a subscription goes with its queue and with its zone, and what waits with it',
  async (_, { store }) => {
    await using world = await openWorld(store)
    const { subscriptions, of } = world
    const subscription = await world.subscribe()
    const place = { accountId: of.accountId, subscriptionId: subscription.id }
    await world.project(eventOf(of, 'delivered'))
    assert.ok(await world.queues.removeQueue(world.place, NOTHING))
    assert.equal(await subscriptions.subscription(place), undefined)
    assert.deepEqual((await subscriptions.listSubscriptions(of.accountId, PAGE)).total, 0)
    world.notify.begin()
    await until(async () => (await store.get(waiting, []))?.waiting === 0 || undefined)
    await world.project(eventOf(of, 'delivered'))
    assert.deepEqual(await store.get(waiting, []), { waiting: 0 })
    const other = await world.addQueue(of.accountId, 'other')
    await world.subscribe({ queueId: other.id })
    const zone = await world.domains.zone(of.accountId, of.zoneId)
    assert.ok(zone && (await removeZone(store, zone, [])))
    assert.equal((await subscriptions.listSubscriptions(of.accountId, PAGE)).total, 0)
    // The queue's own end is not held up by what pointed to it.
    await store.commit([{ statement: dropQueue, params: [world.queue.id], rows: 1 }])
  },
)

const dropQueue = statement('test.drop-queue', 'delete from worker_queue where id = $1')

onBothEngines('a wish is for what the account has, and for so many', async (_, { store }) => {
  await using world = await openWorld(store)
  const { subscriptions, of, wish } = world
  const second = await world.addAccount('B', 'second.example')
  const theirs = await world.addQueue(second.accountId)
  const create = (more: Partial<SubscriptionWish>) =>
    subscriptions.createSubscription(of.accountId, { ...wish, ...more }, NOTHING)
  assert.equal(await create({ queueId: theirs.id }), 'no-queue')
  assert.equal(await create({ zoneId: second.zoneId, domain: 'second.example' }), 'no-domain')
  assert.equal(await create({ domain: 'news.yourdomain.com' }), 'no-domain')
  for (let count = 0; count < SUBSCRIPTIONS_PER_SOURCE; count++) await world.subscribe()
  assert.equal(await create({}), 'too-many')
  assert.ok(await world.subscribe({ source: 'email.routing', events: ['message.handled'] }))
})

onBothEngines(
  'a subscription is read, listed, changed and removed, by its own account',
  async (_, { store }) => {
    await using world = await openWorld(store)
    const { subscriptions, of } = world
    const first = await world.subscribe({ name: 'b' })
    await sleep(2)
    const second = await world.subscribe({ name: 'a', enabled: false })
    const place = { accountId: of.accountId, subscriptionId: first.id }
    const foreign = { ...place, accountId: 'f'.repeat(32) }
    assert.deepEqual(await subscriptions.subscription(place), first)
    assert.equal(await subscriptions.subscription(foreign), undefined)
    assert.equal(await subscriptions.changeSubscription(foreign, { name: 'x' }, NOTHING), undefined)
    assert.equal(await subscriptions.removeSubscription(foreign, NOTHING), undefined)
    const list = async (more: object) =>
      (await subscriptions.listSubscriptions(of.accountId, { ...PAGE, ...more })).subscriptions.map(
        ({ id }) => id,
      )
    assert.deepEqual(await list({}), [first.id, second.id])
    assert.deepEqual(await list({ direction: 'desc' }), [second.id, first.id])
    assert.deepEqual(await list({ order: 'name' }), [second.id, first.id])
    assert.deepEqual(await list({ order: 'enabled' }), [second.id, first.id])
    assert.deepEqual(await list({ offset: 1, limit: 1 }), [second.id])
    assert.deepEqual(await list({ queueId: 'f'.repeat(32) }), [])
    const other = await world.addQueue(of.accountId, 'other')
    const seen: unknown[] = []
    const changed = await subscriptions.changeSubscription(
      place,
      { name: 'c', events: ['message.failed'], queueId: other.id },
      (change) => {
        seen.push(change)
        return []
      },
    )
    assert.ok(changed && typeof changed !== 'string')
    assert.deepEqual(seen, [{ before: first, after: changed }])
    assert.deepEqual(await subscriptions.subscription(place), changed)
    assert.equal(
      await subscriptions.changeSubscription(place, { queueId: 'f'.repeat(32) }, NOTHING),
      'no-queue',
    )
    assert.deepEqual(await subscriptions.removeSubscription(place, NOTHING), changed)
    assert.deepEqual(await list({}), [second.id])
  },
)
