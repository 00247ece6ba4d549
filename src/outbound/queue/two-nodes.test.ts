import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { openPostgresStore } from '#store/open-postgres.ts'
import { statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  claimFrom,
  deliveriesIn,
  delivery,
  eventsIn,
  HandEngine,
  letPass,
  type Outbound,
  openOutbound,
  until,
} from '#test/outbound.ts'
import { type OpenStore, openTestStore } from '#test/stores.ts'
import { type ClaimedDelivery, laneOf } from './claimed-delivery.ts'
import { dueLanes } from './due-lanes.ts'
import { laneBacksOff } from './lane-waits.ts'

/** Two processes on one PostgreSQL, each with its own connections. */
interface Nodes {
  readonly open: OpenStore
  readonly one: Outbound
  readonly two: Outbound
  readonly engines: readonly [HandEngine, HandEngine]
}

function onTwoNodes(name: string, run: (nodes: Nodes, t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    await using open = await openTestStore('postgres')
    assert.ok(open.url)
    const second = await openPostgresStore({ url: open.url })
    try {
      const engines = [new HandEngine(), new HandEngine()] as const
      await using one = await openOutbound(open.store, open.directory, { engine: engines[0] })
      await using two = await openOutbound(second, open.directory, { engine: engines[1] })
      await run({ open, one, two, engines }, t)
    } finally {
      await second.close()
    }
  })
}

onTwoNodes('promise 3: what a node had claimed is anybody’s 15 s after its last heartbeat', async (nodes) => {
  const { one, two, engines } = nodes
  const [id = ''] = await one.send(['a@one.example'])
  engines[1].mostOfLane = 9
  await one.store.commit([{ statement: age, params: [one.node, 10_000] }])
  two.queue.wake()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.equal(engines[1].taken.length, 0, 'ten seconds are nothing yet')
  await one.store.commit([{ statement: age, params: [one.node, 20_000] }])
  await until('the other node has it', () => engines[1].taken.length === 1)
  assert.equal((await delivery(two.store, id)).claim_node, two.node)
})

const age = statement('test.age', 'update node set heartbeat_at = {now} - $2 where id = $1')

onTwoNodes(
  'a node taken for dead: its late 250 settles, and the other’s report changes nothing',
  async (nodes) => {
    const { one, two, engines } = nodes
    const [id = ''] = await one.send(['a@one.example'])
    await one.store.commit([{ statement: age, params: [one.node, 20_000] }])
    await until('the other node has it', () => engines[1].taken.length === 1)
    await one.outcome.delivered(engines[0].next(), {})
    assert.equal((await delivery(two.store, id)).state, 'delivered')
    assert.equal(await two.queue.isClaimed(engines[1].taken[0] ?? assert.fail()), false)
    const bounce = { permanent: true, cause: 'policy' } as const
    await two.outcome.refused(engines[1].next(), { reply: '550 no' }, bounce)
    assert.equal((await delivery(two.store, id)).state, 'delivered')
    const events = await eventsIn(two.store)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['delivered'],
    )
    await checkInvariants(two.store)
  },
)

onTwoNodes('a node taken for dead may neither defer nor fail what is another’s now', async (nodes) => {
  const { one, two, engines } = nodes
  const [id = ''] = await one.send(['a@one.example'])
  await one.store.commit([{ statement: age, params: [one.node, 20_000] }])
  await until('the other node has it', () => engines[1].taken.length === 1)
  const [stale] = engines[0].taken
  assert.ok(stale)
  assert.equal(await one.queue.isClaimed(stale), false)
  await one.outcome.refused(stale, { reply: '550 no' }, { permanent: true, cause: 'policy' })
  await one.outcome.refused(stale, { reply: '451 no' }, { permanent: false, cause: 'other' })
  await one.outcome.unreachable([stale], { reply: 'nobody' }, 'host-unreachable')
  await one.outcome.putBack([stale])
  const row = await delivery(two.store, id)
  assert.deepEqual([row.state, row.claim_node, row.attempts], ['claimed', two.node, 0])
  assert.deepEqual(await eventsIn(two.store), [])
  await checkInvariants(two.store)
})

onTwoNodes(
  'a lane recovers while the other node puts mail into it: the mail keeps its lane',
  async (nodes) => {
    const { open, one, two } = nodes
    for (const { queue } of [one, two]) await queue.stop()
    const [id] = await one.send(['x@a.example'])
    await one.store.commit([laneBacksOff(LANE, 60_000)])
    const other = new pg.Client({ connectionString: open.url })
    await other.connect()
    try {
      await other.query('begin')
      await other.query(
        `update delivery set state = 'waiting', claim_node = null, claim_token = null, due_at = due_at + 3600000
        where id = $1`,
        [id],
      )
      await other.query('update lane set due_at = due_at')
      const recovering = two.outcome.recovered(LANE)
      await until('one waits for the other', async () => {
        const { rows } = await other.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock'`)
        return rows.length > 0
      })
      await other.query('commit')
      await recovering
    } finally {
      await other.end()
    }
    await checkInvariants(one.store)
  },
)

const LANE = { accountId: ACCOUNT, recipientDomain: 'a.example' }

onTwoNodes(
  'whatever two nodes do at the same time, no waiting delivery is left without its lane',
  async (nodes) => {
    const { one, two } = nodes
    for (const { queue } of [one, two]) await queue.stop()
    const work = [one, two].flatMap((outbound, i) => {
      const engine = nodes.engines[i] ?? assert.fail()
      engine.mostOfLane = 0
      return Array.from({ length: 6 }, () => hammer(outbound, engine))
    })
    await Promise.all(work)
    await checkInvariants(one.store)
    // And all of it is found by way of the lanes.
    for (const engine of nodes.engines) await one.outcome.putBack(engine.taken.splice(0))
    for (let round = 0; round < 20; round++) {
      await letPass(one.store, 120_000)
      for (const lane of await dueLanes(one.store, undefined, 100)) {
        for (const claimed of await claimFrom(one.store, lane, { node: one.node, ...BY })) {
          await one.outcome.delivered(claimed, {})
          if (claimed.probe) await one.outcome.recovered(laneOf(claimed))
        }
      }
    }
    const rows = await deliveriesIn(one.store)
    assert.ok(rows.length > 50, `${rows.length} deliveries`)
    assert.deepEqual(
      rows.filter(({ state }) => state !== 'delivered'),
      [],
    )
    await checkInvariants(one.store)
  },
)

const BY = { limit: 1000, longestWaitMs: 43_200_000 }
const DOMAINS = ['a.example', 'b.example']

/** Sixty random commits, on lanes that everybody wants. */
async function hammer(outbound: Outbound, engine: HandEngine): Promise<void> {
  const { store, outcome, node } = outbound
  for (let i = 0; i < 60; i++) {
    const recipientDomain = DOMAINS[i % DOMAINS.length] ?? ''
    const chance = Math.random()
    if (chance < 0.3) await outbound.send([`x@${recipientDomain}`])
    else if (chance < 0.5) await outcome.recovered({ accountId: ACCOUNT, recipientDomain })
    else if (chance < 0.7) {
      const lane = { account_id: ACCOUNT, recipient_domain: recipientDomain, due_at: 0, failures: 1 }
      engine.taken.push(...(await claimFrom(store, lane, { node, limit: 2, longestWaitMs: 43_200_000 })))
    } else await reportOn(engine.taken.shift(), outcome, chance)
  }
}

async function reportOn(
  claimed: ClaimedDelivery | undefined,
  outcome: Outbound['outcome'],
  chance: number,
): Promise<void> {
  if (!claimed) return
  if (chance < 0.8) await outcome.delivered(claimed, {})
  else if (chance < 0.9) await outcome.putBack([claimed])
  else await outcome.unreachable([claimed], {}, 'dns')
}
