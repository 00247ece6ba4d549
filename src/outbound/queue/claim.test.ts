import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { openLog } from '#observe/log.ts'
import type { Store } from '#store/store.ts'
import { statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  deliveriesIn,
  delivery,
  HandEngine,
  lanesIn,
  letPass,
  OTHER_ACCOUNT,
  openOutbound,
  orderOf,
  until,
} from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'
import { claimLane, claim as claimStatement } from './claim-lane.ts'
import { openCustody } from './custody.ts'
import { dueLanes, pullLanes } from './due-lanes.ts'
import { laneBacksOff, laneRecovers } from './lane-waits.ts'
import { reclaimDead } from './reclaim-dead.ts'

const HOUR_MS = 3_600_000
const LANE = { accountId: ACCOUNT, recipientDomain: 'one.example' }

/** Claims as `node` from the one lane there is. */
async function claim(store: Store, limit: number, node = 'node', longestWaitMs = 12 * HOUR_MS) {
  const lane = { account_id: ACCOUNT, recipient_domain: 'one.example', due_at: 0, failures: 0 }
  return claimLane(store, { lane, limit, node, token: randomUUID(), longestWaitMs })
}

onBothEngines('one process at a time holds a delivery, however many claim at once', async (_t, open) => {
  const { store } = open
  await using outbound = await openOutbound(store, open.directory)
  for (let i = 0; i < 40; i++) await outbound.send([`u${i}@one.example`])
  const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => claim(store, 5, `node${i}`)))
  const ids = claims.flatMap(({ rows }) => rows.map(({ id }) => id))
  assert.equal(ids.length, 40)
  assert.equal(new Set(ids).size, 40)
  await checkInvariants(store)
  assert.deepEqual(await lanesIn(store), [], 'the lane goes with the last of its mail')
})

onBothEngines('claims take the oldest first, and leave the lane due for the rest', async (_t, open) => {
  const { store } = open
  await using outbound = await openOutbound(store, open.directory)
  const ids: string[] = []
  for (let i = 0; i < 5; i++) {
    ids.push(...(await outbound.send([`u${i}@one.example`])))
    await letPass(store, 10)
  }
  assert.deepEqual(
    (await claim(store, 2)).rows.map(({ id }) => id),
    ids.slice(0, 2),
  )
  const [lane] = await dueLanes(store, undefined, 10)
  assert.equal(lane?.recipient_domain, 'one.example')
  await checkInvariants(store)
  assert.deepEqual(
    (await claim(store, 9)).rows.map(({ id }) => id),
    ids.slice(2),
  )
})

onBothEngines('claims of one account see nothing of another', async (_t, open) => {
  const { store } = open
  await using outbound = await openOutbound(store, open.directory)
  const theirs = orderOf(['u@one.example'])
  await outbound.queue.promise({ ...theirs, message: { ...theirs.message, accountId: OTHER_ACCOUNT } })
  assert.deepEqual((await claim(store, 9)).rows, [])
  await checkInvariants(store)
})

onBothEngines(
  'promise 4: a lane that backs off is probed by one, and the others follow its success',
  async (_t, open) => {
    const { store } = open
    const engine = new HandEngine()
    await using outbound = await openOutbound(store, open.directory)
    for (let i = 0; i < 5; i++) await outbound.send([`u${i}@one.example`])
    await store.commit([laneBacksOff(LANE, 60_000)])
    await letPass(store, 61_000)
    outbound.queue.attach(engine)
    await until('the probe', () => engine.taken.length > 0)
    assert.equal(engine.taken.length, 1)
    const probe = engine.next()
    assert.equal(probe.probe, true)
    const [lane] = await lanesIn(store)
    assert.equal(lane?.failures, 1)
    assert.deepEqual(await dueLanes(store, undefined, 9), [], 'nothing else tries meanwhile')
    await outbound.outcome.delivered(probe, {})
    await outbound.outcome.recovered(LANE)
    await until('the others', () => engine.taken.length === 4)
    assert.ok(engine.taken.every(({ probe }) => !probe))
    assert.deepEqual(await lanesIn(store), [])
    await checkInvariants(store)
  },
)

onBothEngines('a lane that recovers with nothing left in it is dropped', async (_t, { store }) => {
  await store.commit([laneBacksOff(LANE, 1000)])
  await store.commit(laneRecovers(LANE))
  assert.deepEqual(await lanesIn(store), [])
})

onBothEngines(
  'a lane that backs off with nothing left in it is forgotten at its time',
  async (_t, { store }) => {
    await store.commit([laneBacksOff(LANE, 0)])
    assert.deepEqual((await claim(store, 1)).rows, [])
    assert.deepEqual(await lanesIn(store), [])
  },
)

onBothEngines(
  'promise 3: after a clock stepped back, what lies past the longest backoff is due now',
  async (_t, open) => {
    const { store } = open
    await using outbound = await openOutbound(store, open.directory, { retryMs: [60_000] })
    await outbound.send(['old@one.example'])
    const longest = 10 * 60_000
    await letPass(store, -HOUR_MS)
    assert.deepEqual(await dueLanes(store, undefined, 9), [])
    await pullLanes(store, longest)
    assert.equal((await dueLanes(store, undefined, 9)).length, 1)
    assert.equal((await claim(store, 9, 'node', 2 * HOUR_MS)).rows.length, 0, 'an honest wait of an hour')
    assert.equal((await claim(store, 9, 'node', longest)).rows.length, 1)
    await checkInvariants(store)
  },
)

onBothEngines('an hour back costs nothing while the queue runs either', async (_t, open) => {
  const { store } = open
  const engine = new HandEngine()
  engine.mostOfLane = 0
  await using outbound = await openOutbound(store, open.directory, { engine, longestBackoffMs: 60_000 })
  await outbound.send(['a@one.example', 'b@two.example'])
  await letPass(store, -HOUR_MS)
  engine.mostOfLane = 9
  outbound.queue.wake()
  await until('both taken', () => engine.taken.length === 2)
})

onBothEngines('promise 3: a restart gives back what the process before had claimed', async (_t, open) => {
  const engine = new HandEngine()
  const before = await openOutbound(open.store, open.directory, { engine })
  await before.send(['a@one.example', 'b@two.example'])
  await before.queue.stop()
  // On PostgreSQL it is dead once its heartbeat is 15 s old; on SQLite by having had a successor.
  const store = await open.reopen()
  await assert.rejects(async () => before[Symbol.asyncDispose](), 'it had no time to say goodbye')
  await letPass(store, open.engine === 'postgres' ? 16_000 : 0)
  const after = new HandEngine()
  await using outbound = await openOutbound(store, open.directory, { engine: after })
  await until('both taken again', () => after.taken.length === 2)
  assert.ok((await deliveriesIn(store)).every(({ claim_node }) => claim_node === outbound.node))
  await checkInvariants(store)
})

onBothEngines('a lane that backs off keeps its time when claims are given back', async (_t, open) => {
  const { store } = open
  await using outbound = await openOutbound(store, open.directory)
  await outbound.send(['a@one.example', 'b@one.example'])
  await claim(store, 1, 'dead')
  await store.commit([laneBacksOff(LANE, HOUR_MS)])
  await reclaimDead(store, outbound.node)
  assert.ok((await deliveriesIn(store)).every(({ state }) => state === 'waiting'))
  assert.deepEqual(await dueLanes(store, undefined, 9), [])
  await checkInvariants(store)
})

onBothEngines('a claim that nobody holds is given back, the second time it is seen', async (_t, open) => {
  const { store } = open
  await using outbound = await openOutbound(store, open.directory)
  const ids = await outbound.send(['a@one.example', 'b@one.example'])
  const [lost, held] = (await claim(store, 2, outbound.node)).rows
  assert.ok(lost && held)
  const custody = openCustody({ store, node: outbound.node, log: openLog('silent') })
  const holds = ({ id }: { id: string }) => id === held.id
  await custody.check(holds)
  assert.equal((await delivery(store, lost.id)).state, 'claimed', 'its commit may be on its way to us')
  await custody.check(holds)
  assert.equal((await delivery(store, lost.id)).state, 'waiting')
  assert.equal((await delivery(store, held.id)).state, 'claimed')
  await checkInvariants(store)
  assert.equal(ids.length, 2)
})

onBothEngines('a poll reaches every due lane, past those without room', async (_t, open) => {
  const { store } = open
  await using outbound = await openOutbound(store, open.directory)
  // More lanes than one page, all older than the one that has room.
  await store.commit([{ statement: fillLanes, params: [ACCOUNT, 1200] }])
  await outbound.send(['last@room.example'])
  const engine = new HandEngine()
  engine.room = ({ recipientDomain }) => (recipientDomain === 'room.example' ? 10 : 0)
  outbound.queue.attach(engine)
  await until('the last lane', () => engine.taken.length === 1)
})

const explained = statement<{ detail: string }>('test.explain', `explain query plan ${claimStatement.sqlite}`)

const numbers = {
  sqlite: `(with recursive n(i) as (select 1 union all select i + 1 from n where i < $2) select i from n)`,
  postgres: `(select i from generate_series(1, $2::int) i) n`,
}
const fill = (from: string) =>
  `insert into lane (account_id, recipient_domain, due_at, failures)
   select $1, 'd' || i || '.example', 1000 + i, 0 from ${from}`
const fillLanes = statement('test.fill-lanes', {
  sqlite: fill(numbers.sqlite),
  postgres: fill(numbers.postgres),
})

onBothEngines('a claim out of a lane of 50,000 reads what it takes, not what waits', async (_t, open) => {
  const { store } = open
  await using outbound = await openOutbound(store, open.directory)
  const order = orderOf(['first@one.example'])
  await outbound.queue.promise(order)
  await store.commit([{ statement: fillDeliveries, params: [order.message.id, 50_000] }])
  if (open.engine === 'sqlite') {
    const plan = await store.all(explained, [ACCOUNT, 'one.example', 500, 'n', 't', HOUR_MS])
    const steps = plan.map(({ detail }) => detail)
    assert.equal(
      steps.filter((step) => /USING INDEX delivery_waiting \(.*due_at[<>]\?\)/.test(step)).length,
      2,
      steps.join('\n'),
    )
    assert.ok(!steps.some((step) => step.startsWith('SCAN delivery')), steps.join('\n'))
  }
  const seen = new Set<string>()
  for (let i = 0; i < 20; i++) for (const { id } of (await claim(store, 500)).rows) seen.add(id)
  assert.equal(seen.size, 10_000)
  const [lane] = await lanesIn(store)
  assert.equal(lane?.failures, 0)
  assert.equal((await dueLanes(store, undefined, 9)).length, 1)
})

const fillMany = (from: string) =>
  `insert into delivery (id, message_id, account_id, recipient, recipient_domain, state, attempts, due_at, expires_at,
     created_at)
   select $1 || i, $1, '${ACCOUNT}', 'u' || i || '@one.example', 'one.example', 'waiting', 0,
     1000 + i, 9000000000000, 0 from ${from}`
const fillDeliveries = statement('test.fill-deliveries', {
  sqlite: fillMany(numbers.sqlite),
  postgres: fillMany(numbers.postgres),
})
