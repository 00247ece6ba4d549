import assert from 'node:assert/strict'
import fc from 'fast-check'
import { eventWrite } from '#events/events.ts'
import { openLog } from '#observe/log.ts'
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
import { onBothEngines } from '#test/stores.ts'
import { type ClaimedDelivery, laneOf } from './claimed-delivery.ts'
import { dueLanes } from './due-lanes.ts'
import { HAND_ACTIONS, type OperatorHands, openOperatorHands } from './operator-hands.ts'
import { openPauses } from './pauses.ts'
import type { Selection } from './selection.ts'

const HOUR_MS = 3_600_000
const DOMAINS = ['one.example', 'two.example']
const log = openLog('silent')

interface World {
  readonly store: Store
  readonly outbound: Outbound
  readonly hands: OperatorHands
  /** What somebody is attempting. */
  readonly taken: ClaimedDelivery[]
}

type Step = (world: World) => Promise<unknown>

function named(name: string, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => name })
}

const domain = fc.constantFrom(...DOMAINS)

const selection: fc.Arbitrary<Selection> = fc.oneof(
  domain.map((name) => ({ recipientDomains: [name] })),
  domain.map((name) => ({ accountId: ACCOUNT, recipientDomains: [name] })),
  fc.constant({ accountId: ACCOUNT }),
  fc.constantFrom<Selection>({ state: 'waiting' }, { state: 'held' }, { state: 'claimed' }),
  fc.constant({}),
)

const later = { permanent: false, cause: 'other' } as const

function report(name: string, act: (world: World, delivery: ClaimedDelivery) => Promise<unknown>): Step {
  return named(name, async (world) => {
    const delivery = world.taken.shift()
    if (delivery) await act(world, delivery)
  })
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(domain, { minLength: 1, maxLength: 3 })
      .map((to) =>
        named(`send ${to.join()}`, ({ outbound }) => outbound.send(to.map((name, i) => `u${i}@${name}`))),
      ),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...HAND_ACTIONS), selection, fc.constantFrom(2, 1000))
      .map(([action, which, most]) =>
        named(`${action} ${most} of ${JSON.stringify(which)}`, ({ hands }) => hands.act(action, which, most)),
      ),
  },
  { weight: 3, arbitrary: fc.constant(named('claim', (world) => claimDue(world, 3))) },
  fc.constantFrom(
    report('delivered', ({ outbound }, each) => outbound.outcome.delivered(each, {})),
    report('deferred', ({ outbound }, each) => outbound.outcome.refused(each, {}, later)),
    report('put back', ({ outbound }, each) => outbound.outcome.putBack([each])),
    report('unreachable', ({ outbound }, each) => outbound.outcome.unreachable([each], {}, 'dns')),
  ),
  domain.map((recipientDomain) =>
    named(`${recipientDomain} recovered`, ({ outbound }) =>
      outbound.outcome.recovered({ accountId: ACCOUNT, recipientDomain }),
    ),
  ),
)

async function claimDue({ store, outbound, taken }: World, limit: number): Promise<void> {
  const by = { node: outbound.node, longestWaitMs: 12 * HOUR_MS }
  for (const lane of await dueLanes(store, undefined, 100))
    taken.push(...(await claimFrom(store, lane, { ...by, limit: lane.failures > 0 ? 1 : limit })))
}

/** What an operator released comes to its turn by claims alone, and all of it settles. */
async function drain(world: World): Promise<void> {
  const { store, outbound, hands, taken } = world
  await outbound.outcome.putBack(taken.splice(0))
  await hands.act('release', {}, 1000)
  const open = async () => (await deliveriesIn(store)).filter(({ settled_at }) => settled_at === null).length
  for (let round = 0; (await open()) > 0; round++) {
    assert.ok(round < 20, 'a delivery waits in a lane whose turn never comes')
    await letPass(store, HOUR_MS)
    await claimDue(world, 1000)
    for (const delivery of taken.splice(0)) {
      await outbound.outcome.delivered(delivery, {})
      if (delivery.probe) await outbound.outcome.recovered(laneOf(delivery))
    }
  }
}

const wipe = ['event', 'lane', 'delivery', 'message', 'body', 'suppression'].map((table) => ({
  statement: statement(`test.wipe-${table}`, `delete from ${table}`),
  params: [],
}))

onBothEngines(
  'whatever operators do while others claim, defer and settle, nothing is lost and each settles once',
  async (_t, { store, directory, engine }) => {
    const pauses = await openPauses({ store, log, now: Date.now })
    const hands = new HandEngine()
    hands.mostOfLane = 0
    await using outbound = await openOutbound(store, directory, { retryMs: [1000, 60_000] })
    // Attached so that all is born waiting; with the queue stopped the steps are the only ones that claim.
    await outbound.queue.stop()
    outbound.queue.attach(hands)
    const world: World = {
      store,
      outbound,
      taken: [],
      hands: openOperatorHands({
        store,
        eventWrite,
        now: Date.now,
        log,
        queue: outbound.queue,
        pauses,
        bodyRetentionMs: 1000,
        settleEnded: (_ended, set) => store.commit(set),
      }),
    }
    const rounds = fc.array(fc.array(step, { minLength: 2, maxLength: 6 }), { minLength: 2, maxLength: 8 })
    try {
      await fc.assert(
        fc.asyncProperty(rounds, async (all) => {
          await store.commit(wipe)
          world.taken.splice(0)
          for (const together of all) {
            await Promise.all(together.map((act) => act(world)))
            await checkInvariants(store)
            await letPass(store, 2000)
          }
          await drain(world)
          await checkInvariants(store)
        }),
        { numRuns: Number(process.env['RUNS'] ?? (engine === 'sqlite' ? 25 : 12)) },
      )
    } finally {
      await pauses.close()
    }
  },
)
