import assert from 'node:assert/strict'
import { eventWrite } from '#events/events.ts'
import { openLog } from '#observe/log.ts'
import { sweepExpired } from '#outbound/outcome/sweep-expired.ts'
import type { Store } from '#store/store.ts'
import { statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  deliveriesIn,
  delivery,
  eventsIn,
  HandEngine,
  lanesIn,
  letPass,
  OTHER_ACCOUNT,
  type Outbound,
  openOutbound,
  orderOf,
  until,
} from '#test/outbound.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { laneBacksOff } from './lane-waits.ts'
import { type OperatorHands, openOperatorHands } from './operator-hands.ts'
import { openPauses } from './pauses.ts'

const log = openLog('silent')
const HOUR_MS = 3_600_000
const LANE = { accountId: ACCOUNT, recipientDomain: 'one.example' }
const ALL = 10_000

interface World extends AsyncDisposable {
  readonly store: Store
  readonly outbound: Outbound
  readonly engine: HandEngine
  readonly hands: OperatorHands
}

/** The hands over a real store, with an engine that takes what the test lets it. */
async function openWorld({ store, directory }: OpenStore, room = 0): Promise<World> {
  const engine = new HandEngine()
  engine.mostOfLane = room
  const pauses = await openPauses({ store, log, now: Date.now })
  const outbound = await openOutbound(store, directory, { engine, pauses })
  const hands = openOperatorHands({
    store,
    eventWrite,
    now: Date.now,
    log,
    queue: outbound.queue,
    pauses,
    bodyRetentionMs: 1000,
    settleEnded: (ended, set) => outbound.notices.settle({ ...ended, end: 'expired' }, set),
  })
  return {
    store,
    outbound,
    engine,
    hands,
    async [Symbol.asyncDispose]() {
      await outbound[Symbol.asyncDispose]()
      await pauses.close()
    },
  }
}

async function statesIn(store: Store): Promise<Record<string, number>> {
  const states: Record<string, number> = {}
  for (const { state } of await deliveriesIn(store)) states[state] = (states[state] ?? 0) + 1
  return states
}

onBothEngines('what is held waits for its release, and each step is in its timeline', async (_t, open) => {
  await using world = await openWorld(open)
  const { store, hands, outbound, engine } = world
  const [id = ''] = await outbound.send(['a@one.example'])
  await outbound.send(['b@two.example'])
  assert.deepEqual(await hands.act('hold', { recipientDomains: ['one.example'] }, ALL), {
    changed: 1,
    more: false,
  })
  assert.equal((await delivery(store, id)).state, 'held')
  await checkInvariants(store)
  engine.mostOfLane = 9
  outbound.queue.wake()
  await until('the other is taken', () => engine.taken.length === 1)
  await until('no lane is left', async () => (await lanesIn(store)).length === 0)
  assert.deepEqual(await hands.act('hold', { recipientDomains: ['one.example'] }, ALL), {
    changed: 0,
    more: false,
  })
  assert.equal((await hands.act('release', { ids: [id] }, ALL)).changed, 1)
  await until('it is taken', () => engine.taken.length === 2)
  const events = await eventsIn(store)
  assert.deepEqual(
    events.map(({ type, delivery_id, terminal, detail }) => [
      type,
      delivery_id,
      terminal,
      detail['recipient'],
    ]),
    [
      ['held', id, 0, 'a@one.example'],
      ['released', id, 0, 'a@one.example'],
    ],
  )
  await checkInvariants(store)
})

onBothEngines('what is being attempted is counted and left alone by every action', async (_t, open) => {
  await using world = await openWorld(open, 1)
  const { store, hands, outbound } = world
  const [id = ''] = await outbound.send(['a@one.example'])
  assert.deepEqual(await hands.count({ ids: [id] }), { waiting: 0, claimed: 1, held: 0 })
  for (const action of ['hold', 'release', 'retry', 'cancel', 'expire'] as const)
    assert.deepEqual(await hands.act(action, { ids: [id] }, ALL), { changed: 0, more: false }, action)
  assert.equal((await delivery(store, id)).state, 'claimed')
  assert.deepEqual(await eventsIn(store), [])
})

onBothEngines(
  'cancel drops what waits and what is held, once; the body goes with the last one',
  async (_t, open) => {
    await using world = await openWorld(open)
    const { store, hands, outbound } = world
    const ids = await outbound.send(['a@one.example', 'b@one.example', 'c@two.example'])
    await hands.act('hold', { ids: ids.slice(0, 1) }, ALL)
    assert.equal((await hands.act('cancel', { recipientDomains: ['one.example'] }, ALL)).changed, 2)
    await checkInvariants(store)
    assert.equal((await hands.act('cancel', {}, ALL)).changed, 1)
    await checkInvariants(store)
    assert.deepEqual(await statesIn(store), { dropped: 3 })
    const terminal = (await eventsIn(store)).filter((event) => event.terminal === 1)
    assert.deepEqual(
      terminal.map(({ type, detail }) => [type, detail['cause']]),
      Array.from({ length: 3 }, () => ['dropped', 'cancelled']),
    )
    assert.equal((await hands.act('cancel', {}, ALL)).changed, 0)
  },
)

onBothEngines('expire fails what waits and what is held, and says how it came to that', async (_t, open) => {
  await using world = await openWorld(open, 1)
  const { store, hands, outbound, engine } = world
  const [id = ''] = await outbound.send(['a@one.example'])
  const classified = { permanent: false, cause: 'greylisted' } as const
  await outbound.outcome.refused(engine.next(), { reply: '451 4.7.1 later' }, classified)
  await hands.act('hold', { ids: [id] }, ALL)
  assert.equal((await hands.act('expire', { ids: [id] }, ALL)).changed, 1)
  const row = await delivery(store, id)
  assert.deepEqual(
    [row.state, row.attempts, row.last_cause, row.last_reply],
    ['failed', 1, 'expired', '451 4.7.1 later'],
  )
  await checkInvariants(store)
})

onBothEngines('retry now: a later time and a failing lane both become due', async (_t, open) => {
  await using world = await openWorld(open, 1)
  const { store, hands, outbound, engine } = world
  await outbound.send(['a@one.example'])
  await outbound.outcome.refused(engine.next(), { reply: '451 later' }, { permanent: false, cause: 'other' })
  engine.mostOfLane = 0
  await outbound.send(['b@one.example', 'c@two.example'])
  await store.commit([laneBacksOff(LANE, HOUR_MS)])
  engine.resting.add('one.example').add('two.example')
  assert.deepEqual(await hands.act('retry', { recipientDomains: ['one.example'] }, ALL), {
    changed: 2,
    more: false,
  })
  assert.deepEqual([...engine.resting], ['two.example'], 'what was due anyway is passed over')
  engine.resting.clear()
  assert.equal((await lanesIn(store)).find((lane) => lane.recipient_domain === 'one.example')?.failures, 0)
  await checkInvariants(store)
  engine.mostOfLane = 9
  outbound.queue.wake()
  await until('all taken', () => engine.taken.length === 3)
  assert.ok(engine.taken.every(({ probe }) => !probe))
})

onBothEngines('a selection means what meets all of it', async (_t, open) => {
  await using world = await openWorld(open)
  const { store, hands, outbound } = world
  const [old = ''] = await outbound.send(['a@one.example'])
  await store.commit([{ statement: age, params: [old, HOUR_MS] }])
  await outbound.send(['b@one.example', 'c@two.example'])
  const theirs = orderOf(['d@one.example'])
  await outbound.queue.promise({ ...theirs, message: { ...theirs.message, accountId: OTHER_ACCOUNT } })
  const waiting = async (selection: Parameters<OperatorHands['count']>[0]) =>
    (await hands.count(selection)).waiting
  assert.equal(await waiting({}), 4)
  assert.equal(await waiting({ accountId: ACCOUNT }), 3)
  assert.equal(await waiting({ recipientDomains: ['one.example'] }), 3)
  assert.equal(await waiting({ recipientDomains: ['one.example', 'two.example'] }), 4)
  assert.equal(await waiting({ recipientDomains: [] }), 0)
  assert.equal(await waiting({ accountId: ACCOUNT, recipientDomains: ['one.example'] }), 2)
  assert.equal(await waiting({ olderThan: Date.now() - HOUR_MS / 2 }), 1)
  assert.equal(await waiting({ ids: [old], accountId: OTHER_ACCOUNT }), 0, 'an id of another account')
  assert.equal(await waiting({ state: 'held' }), 0)
  assert.equal((await hands.act('hold', { state: 'held' }, ALL)).changed, 0)
  assert.equal((await hands.act('hold', { accountId: OTHER_ACCOUNT }, ALL)).changed, 1)
  assert.equal((await hands.act('retry', { recipientDomains: ['none.example'] }, ALL)).changed, 0)
  const listed = await hands.list({ selection: { recipientDomains: ['one.example'] }, limit: 10 })
  assert.deepEqual(listed.map(({ state }) => state).toSorted(), ['held', 'waiting', 'waiting'])
})

const age = statement('test.age', 'update delivery set created_at = created_at - $2 where id = $1')

onBothEngines('a bounded call says that there is more, and the next one goes on', async (_t, open) => {
  await using world = await openWorld(open)
  const { hands, outbound, store } = world
  for (let i = 0; i < 5; i++) await outbound.send([`u${i}@one.example`])
  assert.deepEqual(await hands.act('hold', {}, 2), { changed: 2, more: true })
  assert.deepEqual(await hands.act('hold', {}, 2), { changed: 2, more: true })
  assert.deepEqual(await hands.act('hold', {}, 2), { changed: 1, more: false })
  assert.deepEqual(await statesIn(store), { held: 5 })
})

onBothEngines('what is held expires at its time', async (_t, open) => {
  await using world = await openWorld(open)
  const { hands, outbound, store } = world
  await outbound.send(['a@one.example'])
  await hands.act('hold', {}, ALL)
  await letPass(store, 6 * 24 * HOUR_MS)
  await sweepExpired(store, 1000, outbound.notices, log)
  assert.deepEqual(await statesIn(store), { failed: 1 })
  await checkInvariants(store)
})

onBothEngines('pages of the queue and of an account’s mail leave nothing out', async (_t, open) => {
  await using world = await openWorld(open)
  const { hands, outbound } = world
  for (let i = 0; i < 7; i++) await outbound.send([`u${i}@one.example`, `U${i}@two.example`])
  const queued: string[] = []
  let place: { expiresAt: number; id: string } | undefined
  for (;;) {
    const page = await hands.list({ selection: {}, limit: 4, after: place })
    queued.push(...page.map(({ id }) => id))
    place = page.at(-1)
    if (page.length < 4) break
  }
  assert.equal(new Set(queued).size, 14)
  const mail: number[] = []
  let at: { createdAt: number; id: string } | undefined
  for (;;) {
    const page = await hands.mail(ACCOUNT, { filter: {}, limit: 4, after: at })
    mail.push(...page.map(({ createdAt }) => createdAt))
    at = page.at(-1)
    if (page.length < 4) break
  }
  assert.equal(mail.length, 14)
  assert.deepEqual(
    mail,
    mail.toSorted((a, b) => b - a),
    'the newest first',
  )
  assert.deepEqual(await hands.mail(OTHER_ACCOUNT, { filter: {}, limit: 9 }), [])
  const recipient = orderOf(['u3@TWO.example'.toLowerCase()]).recipients[0]?.recipient
  assert.ok(recipient)
  const found = await hands.mail(ACCOUNT, { filter: { recipient }, limit: 9 })
  assert.deepEqual(
    found.map((each) => each.recipient),
    ['U3@two.example'],
  )
  assert.equal((await hands.mail(ACCOUNT, { filter: { state: 'bounced' }, limit: 9 })).length, 0)
  const [first] = found
  assert.ok(first)
  assert.equal((await hands.mail(ACCOUNT, { filter: { messageId: first.messageId }, limit: 9 })).length, 2)
  assert.equal((await hands.message(OTHER_ACCOUNT, first.messageId)) === undefined, true, 'promise 6')
  assert.equal((await hands.message(ACCOUNT, first.messageId))?.subject, 'Hello')
})

onBothEngines('the statistics count each state, and name what stands in the way', async (_t, open) => {
  await using world = await openWorld(open)
  const { hands, outbound, store } = world
  await outbound.send(['a@one.example', 'b@one.example', 'c@two.example'])
  await hands.act('hold', { recipientDomains: ['two.example'] }, ALL)
  await store.commit([laneBacksOff(LANE, HOUR_MS)])
  const stats = await hands.stats()
  assert.deepEqual(stats.totals, { waiting: 2, claimed: 0, held: 1 })
  assert.deepEqual(stats.accounts, [{ accountId: ACCOUNT, name: 'test', waiting: 2, claimed: 0, held: 1 }])
  assert.deepEqual(stats.domains, [
    { domain: 'one.example', waiting: 2, claimed: 0, held: 0 },
    { domain: 'two.example', waiting: 0, claimed: 0, held: 1 },
  ])
  assert.equal(stats.lanes.failing, 1)
  assert.deepEqual(
    stats.failing.map(({ domain, failures }) => [domain, failures]),
    [['one.example', 1]],
  )
  assert.ok(stats.oldest)
  assert.deepEqual(await hands.domains(10), ['one.example', 'two.example'])
})
