import assert from 'node:assert/strict'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { eventOf, NOTHING, openNotifyWorld } from '#test/notify-world.ts'
import { until } from '#test/queue-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { openReceiver } from '#test/webhook-receiver.ts'
import { dropOldest } from './drop-oldest.ts'

const MOST = 20

/** A paused webhook of an account, and another one that is well. */
async function openWorld(store: Store) {
  const dropped: number[] = []
  const watch = { tried() {}, dropped: (notifications: number) => void dropped.push(notifications) }
  const world = await openNotifyWorld(store, { mostWaiting: MOST, watch })
  const receiver = await openReceiver(['hook.example'])
  const of = await world.addAccount()
  const url = `https://hook.example:${receiver.port}/`
  const { place } = await world.addWebhook(of.accountId, { url })
  const other = await world.addWebhook(of.accountId, {
    url,
    events: ['cf.email.sending.message.bounced'],
  })
  await store.commit([{ statement: pause, params: [place.webhookId], rows: 1 }])
  const { notify } = world
  const events = Array.from({ length: 50 }, () => eventOf(of, 'delivered'))
  return {
    ...{ ...world, of, place, other: other.place, receiver, dropped, events },
    /** Ids of events, the oldest first. */
    async waiting(at = place): Promise<string[]> {
      const rows = await notify.deliveries(at, { state: 'pending' }, { limit: 1000 })
      return rows.toSorted((a, b) => a.seq - b.seq).map(({ eventId }) => eventId)
    },
    count: async () => (await notify.webhooks.webhook(place))?.dropped,
    async [Symbol.asyncDispose]() {
      await notify.close()
      await receiver[Symbol.asyncDispose]()
      assert.deepEqual(world.errors, [])
    },
  }
}

const pause = statement(
  'test.pause',
  `update webhook set state = 'paused', paused_at = 5, pause_reason = 'failing' where id = $1`,
)

onBothEngines(
  'of what waits for a paused webhook the newest is kept, and its owner sees how much was not',
  async (_, { store }) => {
    await using world = await openWorld(store)
    const { notify, events, of, place, other } = world
    await world.project(...events.slice(0, MOST), eventOf(of, 'bounced', { messageId: newId() }))
    await notify.sweep()
    assert.deepEqual([(await world.waiting()).length, await world.count()], [MOST, 1])
    await world.project(...events.slice(MOST))
    await notify.sweep()
    await notify.sweep()
    assert.deepEqual(
      await world.waiting(),
      events.slice(-MOST).map(({ id }) => id),
    )
    assert.deepEqual([await world.count(), world.dropped], [31, [1, 30]])
    assert.equal((await world.waiting(other)).length, 1, 'another one’s is not touched')
    const changed = await notify.webhooks.changeWebhook(place, { description: 'd' }, NOTHING)
    assert.ok(changed && 'dropped' in changed && changed.dropped === 31)
    const enabled = await notify.webhooks.changeWebhook(place, { enabled: true }, NOTHING)
    assert.ok(enabled && 'dropped' in enabled && enabled.dropped === 0)
    notify.begin()
    await until(async () => ((await world.waiting()).length === 0 ? true : undefined))
    const told = world.receiver.received.map(({ headers }) => headers['webhook-id'])
    assert.deepEqual(new Set(told).size, MOST + 1)
    assert.equal(await world.count(), 0)
  },
)

onBothEngines('what is settled stays in the log, however much waits', async (_, { store }) => {
  await using world = await openWorld(store)
  const { notify, events, place } = world
  await world.project(...events)
  await store.commit([{ statement: settleSome, params: [place.webhookId], rows: 10 }])
  await notify.sweep()
  assert.equal((await world.waiting()).length, MOST)
  const settled = await notify.deliveries(place, { state: 'delivered' }, { limit: 1000 })
  assert.deepEqual([settled.length, await world.count()], [10, 20])
  // As many wait as may: what came to them would be dropped, and forgotten with that.
  const range = { since: 0, before: Date.now() + 1000, delivered: true }
  assert.deepEqual(await notify.replayRange(place, range, []), { replayed: 0, more: true })
})

const settleSome = statement(
  'test.settle-some',
  `update webhook_delivery set state = 'delivered', settled_at = {now} where seq in
     (select seq from webhook_delivery where webhook_id = $1 order by seq limit 10)`,
)

onBothEngines('thousands go in several commits, from whoever has too many', async (_, { store }) => {
  await using world = await openWorld(store)
  const { of } = world
  const many = Array.from({ length: 1300 }, () => eventOf(of, 'bounced'))
  await world.project(...many)
  assert.equal(await dropOldest(store, 100), 2400)
  assert.deepEqual([(await world.waiting()).length, (await world.waiting(world.other)).length], [100, 100])
  assert.equal(await dropOldest(store, 100), 0)
  assert.equal(await world.count(), 1200)
})
