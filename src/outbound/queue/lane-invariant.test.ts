import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { openLog } from '#observe/log.ts'
import { sweepExpired } from '#outbound/outcome/sweep-expired.ts'
import type { Store } from '#store/store.ts'
import { statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  claimFrom,
  deliveriesIn,
  HandEngine,
  letPass,
  type Outbound,
  openOutbound,
} from '#test/outbound.ts'
import { openTestStore } from '#test/stores.ts'
import { type ClaimedDelivery, laneOf } from './claimed-delivery.ts'
import { dueLanes, pullLanes } from './due-lanes.ts'
import { reclaimDead } from './reclaim-dead.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const LONGEST_MS = 3 * HOUR_MS
const DOMAINS = ['one.example', 'two.example', 'three.example']
const log = openLog('silent')

/** One process's hands, and what it still believes to hold although another process has begun. */
interface World {
  readonly outbound: Outbound
  readonly store: Store
  readonly engine: HandEngine
  readonly stale: ClaimedDelivery[]
  node: string
  steppedBackMs: number
}

type Step = (world: World) => Promise<unknown>

/** A step that a counterexample shows by its name. */
function named(name: string, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => name })
}

/** Reports come in any order. */
function report(
  name: string,
  act: (world: World, delivery: ClaimedDelivery) => Promise<unknown>,
): fc.Arbitrary<Step> {
  return fc.nat({ max: 99 }).map((n) =>
    named(`${name} ${n}`, async (world) => {
      const { taken } = world.engine
      const [delivery] = taken.splice(n % Math.max(1, taken.length), 1)
      if (!delivery) return
      world.stale.push(delivery)
      await act(world, delivery)
    }),
  )
}

/** Reports on what has moved on, or has been given to another process. */
function lateReport(
  name: string,
  act: (world: World, delivery: ClaimedDelivery) => Promise<unknown>,
): fc.Arbitrary<Step> {
  return fc.nat({ max: 99 }).map((n) =>
    named(`late ${name} ${n}`, async (world) => {
      const late = world.stale[n % Math.max(1, world.stale.length)]
      if (late) await act(world, late)
    }),
  )
}

const REPLY = { reply: '451 later' }
const later = { permanent: false, cause: 'other' } as const
const gone = { permanent: true, cause: 'recipient-unknown' } as const

const deliver: Parameters<typeof report>[1] = ({ outbound }, each) => outbound.outcome.delivered(each, {})
const bounce: Parameters<typeof report>[1] = ({ outbound }, each) =>
  outbound.outcome.refused(each, REPLY, gone)
const defer: Parameters<typeof report>[1] = ({ outbound }, each) =>
  outbound.outcome.refused(each, REPLY, later)
const domain = fc.constantFrom(...DOMAINS)

const step = fc.oneof(
  fc.tuple(fc.array(domain, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([to, room]) =>
    named(`send ${to.join()} ${room ? '' : 'without room'}`, async ({ outbound, engine }) => {
      engine.mostOfLane = room ? 1000 : 0
      await outbound.send(to.map((name, i) => `u${i}@${name}`))
    }),
  ),
  fc
    .integer({ min: 1, max: 4 })
    .map((limit) => named(`claim ${limit} of each lane`, (world) => claimDue(world, limit))),
  report('delivered', deliver),
  report('bounced', bounce),
  report('deferred', defer),
  report('stumbled', ({ outbound }, each) => outbound.outcome.stumbled(each)),
  report('put back', ({ outbound }, each) => outbound.outcome.putBack([each])),
  report('recovered', ({ outbound }, each) => outbound.outcome.recovered(laneOf(each))),
  lateReport('delivered', deliver),
  lateReport('bounced', bounce),
  lateReport('deferred', defer),
  lateReport('put back', ({ outbound }, each) => outbound.outcome.putBack([each])),
  lateReport('unreachable', ({ outbound }, each) => outbound.outcome.unreachable([each], REPLY, 'dns')),
  domain.map((name) =>
    named(`${name} unreachable`, async ({ outbound, engine, stale }) => {
      const [first, ...others] = engine.taken.filter(({ recipientDomain }) => recipientDomain === name)
      if (!first) return
      stale.push(first, ...others)
      const left = engine.taken.filter(({ recipientDomain }) => recipientDomain !== name)
      engine.taken.splice(0, engine.taken.length, ...left)
      await outbound.outcome.unreachable([first, ...others], REPLY, 'host-unreachable')
    }),
  ),
  domain.map((recipientDomain) =>
    named(`${recipientDomain} recovered`, ({ outbound }) =>
      outbound.outcome.recovered({ accountId: ACCOUNT, recipientDomain }),
    ),
  ),
  fc.constantFrom(1000, MINUTE_MS, HOUR_MS, -HOUR_MS, 72 * HOUR_MS).map((ms) =>
    named(`${ms} ms pass`, (world) => {
      world.steppedBackMs += Math.max(0, -ms)
      return letPass(world.store, ms)
    }),
  ),
  fc.constant(named('sweep', ({ store, outbound }) => sweepExpired(store, 1000, outbound.notices, log))),
  fc.constant(named('pull', ({ store }) => pullLanes(store, LONGEST_MS))),
  // What it had in its hands may still be on its way to a recipient.
  fc.constant(
    named('the process dies', async (world) => {
      world.stale.push(...world.engine.taken.splice(0))
      world.node = randomUUID()
      await reclaimDead(world.store, world.node)
    }),
  ),
)

async function claimDue({ store, engine, node }: World, most: number): Promise<void> {
  for (const lane of await dueLanes(store, undefined, 100)) {
    const limit = lane.failures > 0 ? 1 : most
    engine.taken.push(...(await claimFrom(store, lane, { node, limit, longestWaitMs: LONGEST_MS })))
  }
}

/** Every lane comes to its turn: nothing but claims and deliveries, and all of it settles. */
async function drain(world: World): Promise<void> {
  const open = async () =>
    (await deliveriesIn(world.store)).filter(({ state }) => state === 'waiting' || state === 'claimed').length
  world.node = randomUUID()
  await reclaimDead(world.store, world.node)
  world.engine.taken.splice(0)
  for (let round = 0; (await open()) > 0; round++) {
    assert.ok(round < 20, 'a delivery waits in a lane whose turn never comes')
    await pullLanes(world.store, LONGEST_MS)
    await claimDue(world, 1000)
    for (const delivery of world.engine.taken.splice(0)) {
      await world.outbound.outcome.delivered(delivery, {})
      if (delivery.probe) await world.outbound.outcome.recovered(laneOf(delivery))
    }
    await letPass(world.store, HOUR_MS)
  }
}

const wipe = ['event', 'lane', 'delivery', 'message', 'body', 'suppression'].map((table) => ({
  statement: statement(`test.wipe-${table}`, `delete from ${table}`),
  params: [],
}))

test('whatever happens in whatever order, every waiting delivery is named by a lane that will become due, and settles once', async () => {
  await using open = await openTestStore('sqlite')
  const { store } = open
  const engine = new HandEngine()
  await using outbound = await openOutbound(store, open.directory, { retryMs: [1000, MINUTE_MS] })
  // Attached for its room alone: with the queue stopped the steps are the only ones that claim.
  await outbound.queue.stop()
  outbound.queue.attach(engine)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      await store.commit(wipe)
      engine.taken.splice(0)
      const world: World = { outbound, store, engine, stale: [], node: outbound.node, steppedBackMs: 0 }
      for (const act of steps) {
        await act(world)
        await checkInvariants(store, world.steppedBackMs)
      }
      await drain(world)
      await checkInvariants(store)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 40) },
  )
})
