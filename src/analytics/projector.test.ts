import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import pino from 'pino'
import { eventsOfMessage, eventWrite } from '#events/events.ts'
import { readTimeline } from '#events/read-timeline.ts'
import type { MailEvent } from '#model/event.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { historyWorld, rowsOf, type SomeDomain } from '#test/history-world.ts'
import { storedEvents } from '#test/stored-events.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import type { OutboxEvent } from './outbox-event.ts'
import { openProjector } from './projector.ts'

const silent = pino({ level: 'silent' })

function eventOf(domain: SomeDomain, more: Partial<MailEvent> = {}): MailEvent {
  return {
    ...{
      type: 'accepted',
      at: Date.now(),
      accountId: domain.accountId,
      domainId: domain.id,
      messageId: newId(),
    },
    ...{ deliveryId: null, terminal: false },
    detail: { sender: 'a@one.example', recipients: ['x@y.example'], subject: 'Hello' },
    ...more,
  }
}

/** What a delivery's events look like after `accepted`. */
function deliveryEvent(before: MailEvent, type: MailEvent['type'], terminal: boolean): MailEvent {
  const detail = { sender: 'a@one.example', recipient: 'x@y.example', subject: 'Hello', attempt: 1 }
  return { ...before, type, terminal, deliveryId: 'delivery', detail, at: before.at + 1 }
}

const kept = statement<{ readonly type: string }>(
  'test.kept',
  'select title as type from kv_namespace order by title',
)

/** A row of the main store, as notifications are. */
function noteWrite(domain: SomeDomain, title: string) {
  const insert = `insert into kv_namespace (id, account_id, title, created_at) values ($1, $2, $3, 0)`
  return { statement: statement('test.note', insert), params: [newId(), domain.accountId, title] }
}

async function outbox(store: Store): Promise<number> {
  const count = statement<{ readonly n: number }>('test.count', 'select count(*) as n from event')
  return (await store.get(count, []))?.n ?? 0
}

onBothEngines('an event goes into history and to who is told, and out of the outbox', async (_t, open) => {
  const told: OutboxEvent[] = []
  await using world = await historyWorld(open, {
    notificationsFor: async (events) => {
      told.push(...events)
      return events.map(({ type }) => noteWrite(world.domain, type))
    },
  })
  const { store, history, projector, domain } = world
  const first = eventOf(domain)
  await store.commit([eventWrite(first)])
  await store.commit([eventWrite(deliveryEvent(first, 'delivered', true))])
  const drift = { domain: 'one.example', service: 'sending', problems: ['spf.missing'] } as const
  await store.commit([eventWrite({ ...first, type: 'dns-drifted', messageId: null, detail: drift })])
  await projector.caughtUp()
  assert.equal(await outbox(store), 0)
  assert.deepEqual(
    told.map(({ type, domain: origin, terminal }) => [type, origin?.zoneId, origin?.name, terminal]),
    [
      ['accepted', domain.zoneId, 'one.example', false],
      ['delivered', domain.zoneId, 'one.example', true],
      ['dns-drifted', domain.zoneId, 'one.example', false],
    ],
  )
  assert.deepEqual(
    (await store.all(kept, [])).map(({ type }) => type),
    ['accepted', 'delivered', 'dns-drifted'],
  )
  const scope = { accountId: domain.accountId }
  const rows = rowsOf(await history.events({ scope, limit: 10 }))
  assert.deepEqual(
    rows.map(({ status, isLastEvent, deliveryId }) => [status, isLastEvent, deliveryId]),
    [
      ['delivered', 1, 'delivery'],
      ['sent', 0, ''],
    ],
  )
})

onBothEngines(
  'a batch that was interrupted after history had it is told once and kept once',
  async (_t, open) => {
    let fails = 2
    await using world = await historyWorld(open, {
      notificationsFor: async (events) => {
        if (fails-- > 0) throw new Error('the process died here')
        return events.map(({ type }) => noteWrite(world.domain, type))
      },
    })
    const { store, history, projector, domain } = world
    const first = eventOf(domain)
    await store.commit([eventWrite(first), eventWrite(deliveryEvent(first, 'delivered', true))])
    await projector.caughtUp()
    assert.equal((await store.all(kept, [])).length, 2)
    const scope = { accountId: domain.accountId }
    const groups = rowsOf(await history.groups({ scope, by: ['status', 'isLastEvent'], limit: 10 }))
    assert.deepEqual(groups, [
      { count: 1, dimensions: { status: 'delivered', isLastEvent: 1 } },
      { count: 1, dimensions: { status: 'sent', isLastEvent: 0 } },
    ])
    assert.equal(rowsOf(await history.events({ scope, limit: 10 })).length, 2)
    assert.equal(
      (await history.timeline({ ...scope, messageId: first.messageId ?? '', limit: 10 })).length,
      2,
    )
  },
)

onBothEngines('a timeline is whole while its events move, page by page', async (_t, open) => {
  const gate = { isOpen: false }
  await using world = await historyWorld(open, {
    batch: 2,
    notificationsFor: async () => {
      while (!gate.isOpen) await sleep(5)
      return []
    },
  })
  const { store, history, projector, domain } = world
  const first = eventOf(domain)
  const messageId = first.messageId ?? ''
  const types = ['accepted', 'deferred', 'deferred', 'deferred', 'delivered'] as const
  for (const type of types) {
    await store.commit([
      eventWrite(type === 'accepted' ? first : deliveryEvent(first, type, type === 'delivered')),
    ])
  }
  const scope = { accountId: domain.accountId, messageId }
  while ((await history.timeline({ ...scope, limit: 9 })).length < 2) await sleep(5)
  // Two of them are in both.
  if (open.engine === 'sqlite')
    assert.deepEqual(
      storedEvents(open.directory).map(({ type }) => type),
      types,
    )
  assert.equal((await eventsOfMessage(store, scope.accountId, messageId)).length, 5)
  const whole = await readTimeline(world, { ...scope, limit: 9 })
  assert.deepEqual(
    whole.map(({ type }) => type),
    types,
  )
  const page = await readTimeline(world, { ...scope, limit: 2, after: whole[0]?.seq ?? 0 })
  assert.deepEqual(
    page.map(({ id }) => id),
    whole.slice(1, 3).map(({ id }) => id),
  )
  gate.isOpen = true
  await projector.caughtUp()
  if (open.engine === 'sqlite')
    assert.deepEqual(
      storedEvents(open.directory).map(({ type }) => type),
      types,
    )
  assert.deepEqual(await readTimeline(world, { ...scope, limit: 9 }), whole)
  assert.deepEqual(await readTimeline(world, { ...scope, accountId: newId(), limit: 9 }), [])
  const other = await readTimeline(world, { ...scope, deliveryId: 'other', limit: 9 })
  assert.deepEqual(
    other.map(({ type }) => type),
    ['accepted'],
  )
})

test('an event that becomes visible after a later one is not passed over (postgres)', async () => {
  await using open = await openTestStore('postgres')
  await using world = await historyWorld(open)
  const { store, history, projector, domain } = world
  const client = new pg.Client({ connectionString: open.url })
  await client.connect()
  try {
    const { statement: append, params } = eventWrite(eventOf(domain))
    await client.query('begin')
    await client.query(append.postgres, [...params])
    await store.commit([eventWrite(eventOf(domain))])
    await projector.caughtUp()
    const scope = { accountId: domain.accountId }
    assert.equal(rowsOf(await history.events({ scope, limit: 9 })).length, 1)
    await client.query('commit')
    await projector.caughtUp()
    assert.equal(rowsOf(await history.events({ scope, limit: 9 })).length, 2)
  } finally {
    await client.end()
  }
})

test('of two nodes one projects, and the other once that one is gone (postgres)', async () => {
  await using open = await openTestStore('postgres')
  const by: string[] = []
  await using world = await historyWorld(open, {
    notificationsFor: async () => {
      by.push('first')
      return []
    },
  })
  const { store, history, projector, domain } = world
  await store.commit([eventWrite(eventOf(domain))])
  await projector.caughtUp()
  const second = openProjector({
    ...{ store, history, log: silent, node: newId(), idleMs: 5 },
    notificationsFor: async () => {
      by.push('second')
      return []
    },
  })
  try {
    for (let i = 0; i < 20; i++) {
      await store.commit([eventWrite(eventOf(domain))])
      if (i % 5 === 0) await projector.caughtUp()
    }
    await projector.caughtUp()
    assert.equal(by.includes('second'), false)
    await projector.close()
    await store.commit([eventWrite(eventOf(domain))])
    await store.commit([
      { statement: statement('test.end-lease', 'update projector_lease set until_at = 0'), params: [] },
    ])
    await second.caughtUp()
    assert.equal(by.includes('second'), true)
    const scope = { accountId: domain.accountId }
    assert.equal(rowsOf(await history.groups({ scope, by: ['status'], limit: 9 }))[0]?.count, 22)
  } finally {
    await second.close()
  }
})

onBothEngines('what nobody can keep or tell holds up no other event', async (_t, open) => {
  const told: string[] = []
  await using world = await historyWorld(open, {
    batch: 16,
    notificationsFor: async (events) => {
      const subjects = events.map(({ detail }) => ('subject' in detail ? detail.subject : undefined) ?? '')
      if (subjects.includes('untellable')) throw new TypeError('nobody thought of this')
      told.push(...subjects)
      return subjects.map((subject) => noteWrite(world.domain, subject))
    },
  })
  const { store, history, projector, domain } = world
  const of = (subject: string, recipient = 'x@y.example') =>
    eventOf(domain, { detail: { sender: 'a@one.example', recipients: [recipient], subject } })
  // Too long for an index of PostgreSQL, and nothing that it could compress.
  const unkeepable = of(
    'c',
    Array.from({ length: 998 }, (_, n) => 0x4e00 + ((n * 7919) % 20_000))
      .map((code) => String.fromCharCode(code))
      .join(''),
  )
  const unreadable = eventOf(domain)
  const events = [
    of('a'),
    of('untellable'),
    of('b'),
    unkeepable,
    of('d'),
    of('\u0000'),
    of('e'),
    unreadable,
    of('f'),
  ]
  for (const event of events) {
    const write = eventWrite(event)
    const params = event === unreadable ? [...write.params.slice(0, -1), '{"subject":'] : write.params
    await store.commit([{ ...write, params }])
  }
  await projector.caughtUp()
  assert.equal(await outbox(store), 0)
  const titles = (await store.all(kept, [])).map(({ type }) => type)
  for (const subject of ['a', 'b', 'c', 'd', 'e', 'f']) assert.ok(titles.includes(subject), subject)
  assert.equal(told.filter((subject) => subject === 'f').length, 1)
  const scope = { accountId: domain.accountId }
  const rows = rowsOf(await history.events({ scope, limit: 100 })).map(({ subject }) => subject)
  for (const subject of ['a', 'untellable', 'b', 'd', 'e', 'f'])
    assert.equal(rows.filter((row) => row === subject).length, 1, subject)
  for (const { messageId } of events) {
    const timeline = await history.timeline({ ...scope, messageId: messageId ?? '', limit: 9 })
    assert.deepEqual(
      timeline.map(({ type }) => type),
      ['accepted'],
      'that it happened is known of each',
    )
  }
})
