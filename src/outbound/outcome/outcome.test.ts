import assert from 'node:assert/strict'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { dueLanes } from '#outbound/queue/due-lanes.ts'
import { type Store, statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  claimFrom,
  deliveriesIn,
  delivery,
  eventsIn,
  HandEngine,
  lanesIn,
  letPass,
  type Outbound,
  openOutbound,
} from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'
import type { Lanemates } from './outcome.ts'

const REPORT = { host: 'mx.one.example', address: '192.0.2.1', reply: '250 2.0.0 Ok', smtpStatus: 250 }
const suppression = { reason: 'hard_bounce', forMs: null } as const

interface World extends Outbound {
  readonly engine: HandEngine
  /** Sends one message and takes its deliveries. */
  readonly take: (...recipients: string[]) => Promise<Lanemates>
}

function withOutcome(name: string, run: (world: World) => Promise<void>): void {
  onBothEngines(name, async (_t, { store, directory }) => {
    const engine = new HandEngine()
    await using outbound = await openOutbound(store, directory, { engine })
    // The tests claim by themselves.
    await outbound.queue.stop()
    async function take(...recipients: string[]): Promise<Lanemates> {
      await outbound.send(recipients)
      const [first, ...others] = engine.taken.splice(0)
      assert.ok(first)
      return [first, ...others]
    }
    await run({ ...outbound, engine, take })
    await checkInvariants(store)
  })
}

withOutcome(
  'a delivery settles exactly once, with one terminal event, whoever reports first',
  async (world) => {
    const { outcome, store, take } = world
    const [each] = await take('a@one.example')
    const bounce = { permanent: true, cause: 'policy' } as const
    await Promise.all([
      outcome.delivered(each, REPORT),
      outcome.delivered(each, REPORT),
      outcome.refused(each, { reply: '550 no' }, bounce),
      outcome.refused(each, { reply: '451 later' }, { permanent: false, cause: 'other' }),
      outcome.putBack([each]),
    ])
    const row = await delivery(store, each.id)
    if (row.state === 'waiting') await outcome.delivered(each, REPORT)
    const { state } = await delivery(store, each.id)
    const events = (await eventsIn(store)).filter(({ terminal }) => terminal === 1)
    assert.deepEqual(
      events.map(({ type }) => type),
      [state],
    )
  },
)

withOutcome('a late report changes nothing: no state, no event, no suppression', async (world) => {
  const { outcome, store, take } = world
  const [each] = await take('a@one.example')
  await outcome.refused(each, { reply: '550 5.7.1 no' }, { permanent: true, cause: 'policy' })
  const before = [await deliveriesIn(store), await eventsIn(store), await lanesIn(store)]
  const unknown = { permanent: true, cause: 'recipient-unknown', suppression } as const
  await outcome.delivered(each, REPORT)
  await outcome.refused(each, { reply: '550 5.1.1 no' }, unknown)
  await outcome.refused(each, { reply: '451 no' }, { permanent: false, cause: 'other' })
  await outcome.stumbled(each)
  await outcome.unreachable([each], {}, 'dns')
  assert.deepEqual([await deliveriesIn(store), await eventsIn(store)], before.slice(0, 2))
  assert.equal((await suppressionsIn(store)).length, 0)
})

withOutcome('a 250 settles what has been given back meanwhile: better twice than lost', async (world) => {
  const { outcome, store, take } = world
  const [each] = await take('a@one.example')
  await outcome.putBack([each])
  await outcome.delivered(each, REPORT)
  assert.equal((await delivery(store, each.id)).state, 'delivered')
})

withOutcome('events tell the attempt: host, reply and how often, never the content', async (world) => {
  const { outcome, store, take } = world
  const [each] = await take('a@one.example')
  await outcome.delivered(each, { ...REPORT, tls: 'TLSv1.3', durationMs: 7 })
  const [event] = await eventsIn(store)
  assert.equal(event?.type, 'delivered')
  const { reply: smtpReply, ...seen } = REPORT
  assert.deepEqual(event.detail, {
    sender: 'app@yourdomain.com',
    recipient: 'a@one.example',
    subject: 'Hello',
    attempt: 1,
    ...seen,
    smtpReply,
    tls: 'TLSv1.3',
    durationMs: 7,
  })
  const row = await delivery(store, each.id)
  assert.deepEqual([row.attempts, row.last_reply, row.last_cause], [1, '250 2.0.0 Ok', null])
})

withOutcome(
  'verdicts are announced after their commit, and not at all when it came too late',
  async (world) => {
    const { outcome, queue, store, take } = world
    const [a, b, c] = await take('a@one.example', 'b@one.example', 'c@one.example')
    assert.ok(b && c)
    const heard = queue.verdicts.first([a.id, b.id, c.id], 60_000).then(async (verdicts) => {
      const rows = await Promise.all([a, b, c].map(({ id }) => delivery(store, id)))
      const states = rows.map(({ state }) => state)
      return { verdicts, states }
    })
    await outcome.delivered(a, REPORT)
    await outcome.refused(b, { reply: '550 no' }, { permanent: true, cause: 'policy' })
    await outcome.refused(b, { reply: '451 no' }, { permanent: false, cause: 'other' })
    await outcome.refused(c, { reply: '451 no' }, { permanent: false, cause: 'other' })
    const { verdicts, states } = await heard
    assert.deepEqual(
      [a, b, c].map(({ id }) => verdicts.get(id)),
      ['delivered', 'bounced', 'deferred'],
    )
    assert.deepEqual(states, ['delivered', 'bounced', 'waiting'])
  },
)

withOutcome('promise 7: a failure suppresses only where it is about the mailbox', async (world) => {
  const { outcome, store, take } = world
  const [a, b] = await take('Gone@one.example', 'b@one.example')
  assert.ok(b)
  const unknown = { permanent: true, cause: 'recipient-unknown', suppression } as const
  await outcome.refused(a, { reply: '550 5.1.1 unknown' }, unknown)
  await outcome.refused(b, { reply: '550 5.7.1 spam' }, { permanent: true, cause: 'policy' })
  const [c, d, e] = await take('c@one.example', 'd@one.example', 'e@one.example')
  assert.ok(d && e)
  await outcome.unreachable([c], { reply: 'nobody' }, 'host-unreachable')
  await outcome.stumbled(d)
  const full = { permanent: false, cause: 'recipient-full', suppression } as const
  await outcome.refused(e, { reply: '452 4.2.2 full' }, full)
  assert.deepEqual(await suppressionsIn(store), [{ email_key: 'gone@one.example', reason: 'hard_bounce' }])
})

withOutcome('retries back off by the schedule, each after the attempt before', async (world) => {
  const { outcome, store, take } = world
  const [first] = await take('a@one.example')
  let each: ClaimedDelivery = first
  for (const [attempt, waitMs] of [
    [1, 1000],
    [2, 10_000],
    [3, 100_000],
    [4, 100_000],
  ] as const) {
    await outcome.refused(each, { reply: '451 later' }, { permanent: false, cause: 'system' })
    const row = await delivery(store, each.id)
    assert.equal(row.attempts, attempt)
    assert.ok(Math.abs(row.due_at - Date.now() - waitMs) < 5000, `${row.due_at - Date.now()} ms`)
    await letPass(store, waitMs - 5000)
    if (waitMs > 5000) assert.deepEqual(await dueLanes(store, undefined, 9), [])
    await letPass(store, 5001)
    const [claimed] = await claimAll(world)
    assert.ok(claimed)
    each = claimed
  }
})

withOutcome(
  'promise 4: an unreachable lane is one attempt and one backoff, however many wait',
  async (world) => {
    const { outcome, store, take } = world
    const lane = await take('a@one.example', 'b@one.example', 'c@one.example')
    const restMs = await outcome.unreachable(lane, { reply: 'no answer' }, 'host-unreachable')
    assert.equal(restMs, 1000)
    const rows = await deliveriesIn(store)
    assert.deepEqual(
      rows.map(({ attempts }) => attempts).toSorted((a, b) => a - b),
      [0, 0, 1],
    )
    assert.ok(
      rows.every(
        ({ last_reply, last_cause }) => last_reply === 'no answer' && last_cause === 'host-unreachable',
      ),
    )
    assert.deepEqual(
      (await eventsIn(store)).map(({ type }) => type),
      ['deferred'],
    )
    const [row] = await lanesIn(store)
    assert.equal(row?.failures, 1)
  },
)

withOutcome('a lane that stays down is tried less and less often, whoever is its probe', async (world) => {
  const { outcome, store, take } = world
  const lane = await take('a@one.example', 'b@one.example', 'c@one.example', 'd@one.example')
  const waits = [await outcome.unreachable(lane, {}, 'host-unreachable')]
  for (let i = 0; i < 3; i++) {
    await letPass(store, (waits.at(-1) ?? 0) + 1)
    const [probe, ...others] = await claimAll(world)
    assert.ok(probe?.probe)
    assert.deepEqual(others, [], 'one probe')
    waits.push(await outcome.unreachable([probe], {}, 'host-unreachable'))
  }
  assert.deepEqual(waits, [1000, 10_000, 100_000, 100_000])
})

withOutcome('one delivery of a lane that has moved on does not keep the lane from resting', async (world) => {
  const { outcome, store, take } = world
  const [a, b] = await take('a@one.example', 'b@one.example')
  assert.ok(b)
  await outcome.delivered(a, REPORT)
  await outcome.unreachable([a, b], {}, 'host-unreachable')
  const [lane] = await lanesIn(store)
  assert.equal(lane?.failures, 1)
  assert.equal((await delivery(store, b.id)).attempts, 1)
})

withOutcome(
  'a shutdown gives back without an attempt, due at once, and forgets no earlier reply',
  async (world) => {
    const { outcome, store, take, queue } = world
    const [first] = await take('a@one.example')
    await outcome.refused(first, { reply: '451 later' }, { permanent: false, cause: 'system' })
    await letPass(store, 1001)
    const claimed = await claimAll(world)
    const more = await take(...Array.from({ length: 30 }, (_, i) => `u${i}@d${i % 3}.example`))
    const heard = queue.verdicts.first(
      [...claimed, ...more].map(({ id }) => id),
      60_000,
    )
    await outcome.putBack([...claimed, ...more])
    assert.equal((await heard).size, 31, 'requests that wait are answered')
    const row = await delivery(store, first.id)
    assert.deepEqual([row.state, row.attempts, row.last_reply], ['waiting', 1, '451 later'])
    assert.equal((await dueLanes(store, undefined, 9)).length, 4)
  },
)

withOutcome(
  'what stumbles over our own fault comes back later, as an attempt without a reply',
  async (world) => {
    const { outcome, store, take } = world
    const [each] = await take('a@one.example')
    await outcome.stumbled(each)
    const row = await delivery(store, each.id)
    assert.deepEqual([row.state, row.attempts, row.last_reply, row.last_cause], ['waiting', 1, null, 'other'])
    assert.deepEqual(await dueLanes(store, undefined, 9), [], 'not at once')
  },
)

async function claimAll({ store, node }: World): Promise<ClaimedDelivery[]> {
  const claimed: ClaimedDelivery[] = []
  for (const lane of await dueLanes(store, undefined, 100)) {
    const limit = lane.failures > 0 ? 1 : 100
    claimed.push(...(await claimFrom(store, lane, { node, limit, longestWaitMs: 43_200_000 })))
  }
  return claimed
}

function suppressionsIn(store: Store) {
  return store.all(suppressions, [ACCOUNT])
}
const suppressions = statement<{ email_key: string; reason: string }>(
  'test.suppressions',
  'select email_key, reason from suppression where account_id = $1',
)
