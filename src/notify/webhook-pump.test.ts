import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook as Verifier } from 'standardwebhooks'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { eventOf, NOTHING, openNotifyWorld } from '#test/notify-world.ts'
import { until } from '#test/queue-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { answering, OK, openReceiver } from '#test/webhook-receiver.ts'
import type { NotifyWatch } from './notify-watch.ts'

const HOST = 'hook.example'

/** A world with one account, a webhook of it at a receiver over TLS, and its deliveries. */
async function openWorld(store: Store, options: Parameters<typeof openNotifyWorld>[1] = {}) {
  const world = await openNotifyWorld(store, options)
  const receiver = await openReceiver([HOST, 'other.example'])
  const of = await world.addAccount()
  const { webhook, secret, place } = await world.addWebhook(of.accountId, {
    url: `https://${HOST}:${receiver.port}/hooks`,
  })
  const { notify, errors } = world
  return {
    ...{ ...world, receiver, of, webhook, secret, place },
    log: (state?: 'pending' | 'delivered' | 'failed' | 'expired') =>
      notify.deliveries(place, { state }, { limit: 1000 }),
    current: async () => (await notify.webhooks.webhook(place)) ?? assert.fail('the webhook is gone'),
    async [Symbol.asyncDispose]() {
      await notify.close()
      await receiver[Symbol.asyncDispose]()
      assert.deepEqual(errors, [])
    },
  }
}

const arrived = (count: number, receiver: { received: readonly unknown[] }) =>
  until(() => receiver.received.length >= count || undefined)

onBothEngines('an event is told once, signed, and is in the log with its answer', async (_, { store }) => {
  await using world = await openWorld(store)
  const { notify, receiver, of } = world
  const event = eventOf(of, 'delivered', { detail: { smtpReply: '250 2.0.0 OK' } })
  await world.project(event)
  notify.begin()
  await arrived(1, receiver)
  const [row] = await until(async () => {
    const rows = await world.log('delivered')
    return rows.length > 0 ? rows : undefined
  })
  const [received] = receiver.received
  assert.ok(received && row)
  new Verifier(world.secret).verify(received.body, received.headers as Record<string, string>)
  assert.equal(received.headers['webhook-id'], `msg_${event.id}`)
  assert.equal(received.type, 'cf.email.sending.message.delivered')
  assert.equal(JSON.parse(received.body).metadata.eventSubscriptionId, world.webhook.id)
  assert.equal(received.body, row.body)
  const [entry] = row.log
  assert.deepEqual([row.attempts, entry?.status, entry?.excerpt], [1, 200, 'thanks'])
  await sleep(60)
  assert.equal(receiver.received.length, 1)
})

onBothEngines('the same batch projected again tells nobody twice', async (_, { store }) => {
  await using world = await openWorld(store)
  const events = [eventOf(world.of, 'delivered'), eventOf(world.of, 'bounced')]
  await world.project(...events)
  await world.project(...events)
  assert.equal((await world.log()).length, 2)
})

onBothEngines('of one message each waits for the one before; others go on', async (_, { store }) => {
  await using world = await openWorld(store, { retryMs: Array<number>(20).fill(150) })
  const { receiver, of } = world
  const messageId = newId()
  const first = ['deferred', 'deferred', 'delivered', 'complained'] as const
  const slow = first.map((type) => eventOf(of, type, { messageId }))
  const others = Array.from({ length: 40 }, () => eventOf(of, 'delivered'))
  let refused = 0
  receiver.behave((received, response, request) => {
    const isFirst = received.headers['webhook-id'] === `msg_${slow[0]?.id}`
    if (isFirst && refused < 3) {
      refused += 1
      return answering(500)(received, response, request)
    }
    return setTimeout(() => OK(received, response, request), Math.random() * 10)
  })
  await world.project(...slow.slice(0, 2), ...others, ...slow.slice(2))
  world.notify.begin()
  await arrived(slow.length + others.length + 3, receiver)
  const order = receiver.received
    .map(({ headers }) => headers['webhook-id'])
    .filter((id) => slow.some((event) => `msg_${event.id}` === id))
  const [head, ...rest] = slow.map(({ id }) => `msg_${id}`)
  assert.deepEqual(order, [head, head, head, head, ...rest])
  // Nobody waited for the one that was refused: they came before its last try.
  const last = receiver.received.findLastIndex(({ headers }) => headers['webhook-id'] === head)
  assert.ok(last >= others.length)
})

onBothEngines(
  'what fails is tried as often as it may be, then given up, and replayed',
  async (_, { store }) => {
    await using world = await openWorld(store, { retryMs: [10, 10] })
    const { notify, receiver, of, place } = world
    receiver.behave(answering(503, 'down for a while'))
    const messageId = newId()
    await world.project(eventOf(of, 'deferred', { messageId }), eventOf(of, 'delivered', { messageId }))
    notify.begin()
    const failed = await until(async () => {
      const rows = await world.log('failed')
      return rows.length === 2 ? rows : undefined
    })
    assert.deepEqual(
      failed.map(({ attempts, log }) => [attempts, log.map(({ status, excerpt }) => [status, excerpt])]),
      [1, 2].map(() => [3, [1, 2, 3].map(() => [503, 'down for a while'])]),
    )
    assert.ok((await world.current()).failures >= 5)
    receiver.behave(OK)
    const before = receiver.received.length
    const one = failed[0]?.id ?? ''
    assert.equal(await notify.replay(place, 'f'.repeat(32), []), false)
    assert.equal(await notify.replay({ ...place, accountId: 'f'.repeat(32) }, one, []), false)
    assert.equal(await notify.replay(place, one, []), true)
    await arrived(before + 1, receiver)
    await until(async () => (await world.log('delivered')).length === 1 || undefined)
    assert.deepEqual([(await world.current()).failures, (await world.current()).failingSince], [0, null])
    const range = { since: 0, before: Date.now() + 1000, delivered: false }
    assert.deepEqual(await notify.replayRange(place, range, []), { replayed: 1, more: false })
    await until(async () => (await world.log('delivered')).length === 2 || undefined)
    const all = await notify.replayRange(place, { ...range, delivered: true }, [])
    assert.deepEqual(all, { replayed: 2, more: false })
    await arrived(before + 4, receiver)
    // In their order, as the first time.
    const ids = receiver.received.slice(-2).map(({ headers }) => headers['webhook-id'])
    assert.deepEqual(
      ids,
      failed.toReversed().map(({ messageId: id }) => id),
    )
    const nothing = await notify.replayRange(place, { since: 0, before: 1, delivered: true }, [])
    assert.deepEqual(nothing, { replayed: 0, more: false })
  },
)

onBothEngines('what comes while one of its requests hangs is told meanwhile', async (_, { store }) => {
  await using world = await openWorld(store)
  const { notify, receiver, of } = world
  const slow = eventOf(of, 'bounced')
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  receiver.behave((received, ...rest) => {
    if (received.headers['webhook-id'] !== `msg_${slow.id}`) return OK(received, ...rest)
    return void answered.then(() => OK(received, ...rest))
  })
  await world.project(slow)
  notify.begin()
  await arrived(1, receiver)
  await world.project(eventOf(of, 'delivered'))
  await arrived(2, receiver)
  answer()
  await until(async () => (await world.log('delivered')).length === 2 || undefined)
})

onBothEngines('many events are told once each, however the requests overlap', async (_, { store }) => {
  await using world = await openWorld(store)
  const { notify, receiver, of } = world
  receiver.behave((...asked) => void setTimeout(() => OK(...asked), Math.random() * 8))
  const events = Array.from({ length: 150 }, () => eventOf(of, 'delivered'))
  await world.project(...events)
  notify.begin()
  await until(async () => (await world.log('pending')).length === 0 || undefined)
  assert.equal(receiver.received.length, events.length)
  assert.equal(new Set(receiver.received.map(({ eventId }) => eventId)).size, events.length)
})

onBothEngines('one that hangs harms no other, and is asked by one event at a time', async (_, { store }) => {
  await using world = await openWorld(store, { timeoutMs: 1000, retryMs: Array<number>(50).fill(20) })
  const { notify, receiver, of } = world
  await using hanging = await openReceiver([HOST])
  let [open, most] = [0, 0]
  hanging.behave((_received, response) => {
    open += 1
    most = Math.max(most, open)
    response.on('close', () => (open -= 1))
  })
  const stuck = await world.addWebhook(of.accountId, { url: `https://${HOST}:${hanging.port}/` })
  await world.project(...Array.from({ length: 60 }, () => eventOf(of, 'delivered')))
  notify.begin()
  await arrived(60, receiver)
  // While it rests, the other is told at once.
  await until(async () => ((await notify.webhooks.webhook(stuck.place))?.failures ?? 0) >= 5 || undefined)
  assert.ok(most <= 8, `${most} at once`)
  // Until what began before is over.
  await until(async () => {
    const rows = await notify.deliveries(stuck.place, {}, { limit: 100 })
    const over = rows.reduce((sum, { attempts }) => sum + attempts, 0)
    return (open === 0 && over >= hanging.connections()) || undefined
  })
  most = open
  await world.project(eventOf(of, 'bounced'))
  await arrived(61, receiver)
  assert.ok(most <= 1, `${most} at once`)
  hanging.behave(OK)
  await notify.webhooks.changeWebhook(stuck.place, { enabled: true }, NOTHING)
  await until(async () => {
    const left = await notify.deliveries(stuck.place, { state: 'pending' }, { limit: 100 })
    return left.length === 0 || undefined
  })
})

onBothEngines('however many hang, the others of the account are told at once', async (_, { store }) => {
  await using world = await openWorld(store, { timeoutMs: 60_000 })
  const { notify, receiver, of } = world
  await using hanging = await openReceiver([HOST])
  hanging.behave(() => {})
  for (let i = 0; i < 12; i++) {
    await world.addWebhook(of.accountId, { url: `https://${HOST}:${hanging.port}/${i}` })
  }
  await world.project(...Array.from({ length: 30 }, () => eventOf(of, 'delivered')))
  notify.begin()
  await arrived(30, receiver)
  // Each that hangs has its first request, and they share what else an account may have.
  await until(() => hanging.connections() >= 12 || undefined)
  assert.ok(hanging.connections() <= 12 + 32, `${hanging.connections()} at once`)
  await world.project(eventOf(of, 'bounced'))
  await arrived(31, receiver)
})

onBothEngines(
  'days of failure pause it, and somebody is told; what happens meanwhile waits',
  async (_, { store }) => {
    await using world = await openWorld(store, { pauseAfterMs: 100, retryMs: Array<number>(50).fill(20) })
    const { notify, receiver, of, place } = world
    await using other = await openReceiver([HOST])
    const events = ['cf.email.webhook.paused'] as const
    await world.addWebhook(of.accountId, { url: `https://${HOST}:${other.port}/`, events })
    const stranger = await world.addAccount('B', 'second.example')
    await world.addWebhook(stranger.accountId, { url: `https://${HOST}:${other.port}/stranger` })
    receiver.behave(answering(500))
    await world.project(eventOf(of, 'delivered'))
    notify.begin()
    const paused = await until(async () => {
      const now = await world.current()
      return now.state === 'paused' ? now : undefined
    })
    assert.equal(paused.pauseReason, 'failing')
    assert.ok(paused.failingSince !== null && (paused.pausedAt ?? 0) - paused.failingSince >= 100)
    await arrived(1, other)
    const [told] = other.received
    assert.deepEqual([told?.type, told?.path], ['cf.email.webhook.paused', '/'])
    assert.equal(JSON.parse(told?.body ?? '').source.webhookId, place.webhookId)
    assert.ok(await store.get(auditLine, [of.accountId]))
    const before = receiver.received.length
    await world.project(eventOf(of, 'bounced'))
    await sleep(100)
    assert.equal(receiver.received.length, before)
    receiver.behave(OK)
    const resumed = await notify.webhooks.changeWebhook(place, { enabled: true }, NOTHING)
    assert.ok(resumed && 'state' in resumed && resumed.state === 'active' && resumed.pausedAt === null)
    await until(async () => (await world.log('delivered')).length === 2 || undefined)
  },
)

const auditLine = statement(
  'test.pause-line',
  `select 1 as found from audit_log where account_id = $1 and action = 'webhook.pause' and actor_type = 'system'`,
)

onBothEngines(
  '410 pauses it at once; one that its owner disabled is told nothing and misses what happens',
  async (_, { store }) => {
    await using world = await openWorld(store)
    const { notify, receiver, of, place } = world
    receiver.behave(answering(410))
    await world.project(eventOf(of, 'delivered'))
    notify.begin()
    const paused = await until(async () => {
      const now = await world.current()
      return now.state === 'paused' ? now : undefined
    })
    assert.equal(paused.pauseReason, 'gone')
    receiver.behave(OK)
    await notify.webhooks.changeWebhook(place, { enabled: false }, NOTHING)
    await world.project(eventOf(of, 'bounced'))
    assert.equal((await world.log()).length, 1)
    await notify.webhooks.changeWebhook(place, { enabled: true }, NOTHING)
    await until(async () => (await world.log('delivered')).length === 1 || undefined)
  },
)

onBothEngines('Retry-After is waited for', async (_, { store }) => {
  await using world = await openWorld(store, { retryMs: [10, 10] })
  world.receiver.behave(answering(429, '', { 'retry-after': '3600' }))
  await world.project(eventOf(world.of, 'delivered'))
  world.notify.begin()
  const row = await until(async () => (await world.log()).find(({ attempts }) => attempts === 1))
  assert.ok((row.nextAttemptAt ?? 0) > Date.now() + 3_500_000)
})

onBothEngines('events and domains are chosen, and no account hears of another', async (_, { store }) => {
  await using world = await openWorld(store)
  const { notify, of } = world
  const second = await world.addAccount('B', 'second.example')
  const chosen = await world.addWebhook(of.accountId, {
    url: `https://${HOST}/`,
    events: ['cf.email.sending.message.bounced', 'cf.email.sending.domain.dns_drifted'],
    domains: [of.domain.name],
  })
  const elsewhere = { ...of, domain: { name: 'other.yourdomain.com', zoneId: of.zoneId } }
  await world.project(
    eventOf(of, 'bounced'),
    eventOf(of, 'delivered'),
    eventOf(elsewhere, 'bounced'),
    eventOf(second, 'bounced'),
    {
      ...{ id: newId(), at: Date.now(), accountId: of.accountId, messageId: null, terminal: false },
      ...{ domain: of.domain, type: 'dns-drifted' },
      detail: { domain: of.domain.name, service: 'sending', problems: ['spf.missing'] },
    },
  )
  const rows = await notify.deliveries(chosen.place, {}, { limit: 10 })
  assert.deepEqual(rows.map(({ type }) => type).sort(), [
    'cf.email.sending.domain.dns_drifted',
    'cf.email.sending.message.bounced',
  ])
  const all = (await world.log()).map(({ body }) => JSON.parse(body).metadata.accountId)
  assert.deepEqual([all.length, new Set(all)], [4, new Set([of.accountId])])
})

onBothEngines(
  'two processes never tell at once: the lease of one that died ends by itself',
  async (_, open) => {
    if (open.engine === 'sqlite') return
    const { store } = open
    await using world = await openWorld(store, { leaseMs: 300 })
    const { receiver, of } = world
    const messageId = newId()
    receiver.behave(
      (received, response, request) => void setTimeout(() => OK(received, response, request), 5),
    )
    const types = Array.from({ length: 30 }, () => 'deferred' as const)
    await world.project(...types.map((type) => eventOf(of, type, { messageId })))
    const other = await openNotifyWorld(store, { leaseMs: 300 })
    await store.commit([{ statement: leaseOfTheDead, params: [world.webhook.id], rows: 1 }])
    world.notify.begin()
    other.notify.begin()
    await arrived(30, receiver)
    await other.notify.close()
    assert.equal(receiver.received.length, 30)
    const rows = (await world.log()).toReversed().map(({ messageId: id }) => id)
    assert.deepEqual(
      receiver.received.map(({ headers }) => headers['webhook-id']),
      rows,
    )
  },
)

const leaseOfTheDead = statement(
  'test.lease',
  `update webhook set lease = 'dead', leased_until = {now} + 200 where id = $1`,
)

onBothEngines(
  'a store that cannot write down what became of it does not make a receiver suffer',
  async (_, { store }) => {
    let broken = true
    const failing: Store = {
      ...{ engine: store.engine, close: () => store.close() },
      get: (query, params) => store.get(query, params),
      all: (query, params) => store.all(query, params),
      commit: (set) =>
        broken && set.some(({ statement: { name } }) => name === 'webhook-delivery.settle')
          ? Promise.reject(new Error('the disk is full'))
          : store.commit(set),
    }
    const world = await openNotifyWorld(failing)
    await using receiver = await openReceiver([HOST])
    const of = await world.addAccount()
    await world.addWebhook(of.accountId, { url: `https://${HOST}:${receiver.port}/` })
    await world.project(eventOf(of, 'delivered'))
    world.notify.begin()
    await until(() => world.errors.length > 0 || undefined)
    await sleep(200)
    broken = false
    assert.equal(receiver.received.length, 1)
    await world.notify.close()
  },
)

onBothEngines(
  'the log forgets, what waited for too long ends, and what is left of a webhook goes',
  async (_, { store }) => {
    await using world = await openWorld(store, { keepMs: 60 })
    const { notify, of, place, receiver } = world
    await world.project(eventOf(of, 'delivered'), eventOf(of, 'bounced'))
    await sleep(80)
    await notify.sweep()
    assert.deepEqual(
      (await world.log()).map(({ state }) => state),
      ['expired', 'expired'],
    )
    await sleep(80)
    await notify.sweep()
    assert.deepEqual(await world.log(), [])
    await world.project(eventOf(of, 'delivered'))
    assert.ok(await notify.webhooks.removeWebhook(place, NOTHING))
    assert.equal(await notify.webhooks.webhook(place), undefined)
    notify.begin()
    await sleep(60)
    assert.equal(receiver.received.length, 0)
    await store.commit([{ statement: longGone, params: [] }])
    await notify.sweep()
    assert.deepEqual(await store.get(left, []), { webhooks: 0, deliveries: 0 })
  },
)

const longGone = statement('test.long-gone', 'update webhook set deleted_at = 1 where deleted_at is not null')
const left = statement<{ webhooks: number; deliveries: number }>(
  'test.left',
  `select (select count(*) from webhook) as webhooks, (select count(*) from webhook_delivery) as deliveries`,
)

onBothEngines(
  'whoever counts is told how each attempt went, and what waits for whom',
  async (_, { store }) => {
    const tried: string[] = []
    const watch: NotifyWatch = {
      tried: (listener, outcome, count) => void tried.push(`${listener} ${outcome} ${count}`),
      dropped() {},
    }
    await using world = await openWorld(store, { watch, retryMs: [3_600_000], restMs: 3_600_000 })
    const { notify, receiver, of } = world
    const queue = await world.addQueue(of.accountId)
    const subscribed = await notify.subscriptions.createSubscription(
      of.accountId,
      {
        ...{ name: 's', enabled: true, source: 'email.sending', zoneId: of.zoneId, domain: of.domain.name },
        ...{ queueId: queue.id, events: ['message.delivered'] },
      },
      NOTHING,
    )
    assert.equal(typeof subscribed, 'object')
    const paused = await world.addWebhook(of.accountId, { url: world.webhook.url })
    await store.commit([{ statement: pauseLong, params: [paused.webhook.id], rows: 1 }])
    const backlog = async () =>
      Object.fromEntries(
        (await notify.backlog()).map(({ listener, state, waiting, oldestMs }) => [
          `${listener} ${state}`,
          [waiting, oldestMs >= 0 && oldestMs < 60_000],
        ]),
      )
    const nothing = { 'webhook failing': [0, true], 'webhook disabled': [0, true] }
    await world.project(eventOf(of, 'delivered'), eventOf(of, 'bounced'))
    assert.deepEqual(await backlog(), {
      ...nothing,
      ...{ 'webhook active': [2, true], 'webhook paused': [2, true], 'queue active': [1, true] },
    })
    receiver.behave(answering(503))
    notify.begin()
    await until(async () => ((await world.current()).failures === 2 && tried.length === 3) || undefined)
    assert.deepEqual(tried.sort(), ['queue delivered 1', 'webhook 5xx 1', 'webhook 5xx 1'])
    await until(async () => (await backlog())['queue active']?.[0] === 0 || undefined)
    assert.deepEqual(await backlog(), {
      ...{ ...nothing, 'webhook active': [0, true], 'queue active': [0, true] },
      ...{ 'webhook failing': [2, true], 'webhook paused': [2, true] },
    })
  },
)

const pauseLong = statement('test.pause-long', `update webhook set state = 'paused' where id = $1`)
