import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '#store/store.ts'
import { LIMITS } from '#test/delivery-world.ts'
import { type FaultAnswer, type Moment, startFaultPeer } from '#test/fault-peer.ts'
import { manyAt, openFaultRun } from '#test/fault-run.ts'
import { openTestStore } from '#test/stores.ts'

/** Connections that break over a content: DURABILITY's mid-DATA disconnect. Every delivery meets the fault once. */

const BREAKS: readonly [engine: Store['engine'], what: string, at: Moment, fault: FaultAnswer][] = [
  ['sqlite', 'reset after half the content', 'half', 'reset'],
  ['postgres', 'reset after half the content', 'half', 'reset'],
  ['sqlite', 'closed after half the content', 'half', 'close'],
  ['sqlite', 'closed after the final dot, before its reply', '.', 'close'],
  ['postgres', 'closed after the final dot, before its reply', '.', 'close'],
  ['sqlite', 'reset after the final dot', '.', 'reset'],
  ['sqlite', 'silent after the final dot', '.', 'silence'],
]

for (const [engine, what, at, fault] of BREAKS) {
  test(`${what}: all arrives, and no copy without an ambiguous attempt (${engine})`, async (t) => {
    await using open = await openTestStore(engine)
    const met = new Set<string>()
    const peer = await startFaultPeer(t, (moment, { to }) => {
      if (moment !== at || met.has(to)) return undefined
      met.add(to)
      return fault
    })
    await using run = await openFaultRun(open, {
      peers: { 'break.example': peer.port },
      retryMs: [100],
      ...(fault === 'silence' && { timeouts: { finalDotMs: 400 } }),
      limits: { ...LIMITS, connections: 60 },
    })
    await run.promise(manyAt('break.example'), undefined, at === 'half' ? 100_000 : undefined)
    await run.drained()
    const tally = await run.judge([peer])
    assert.equal(tally.delivered, 500)
    const broken = tally.attempts.filter(({ type }) => type === 'deferred')
    for (const { detail } of broken) assert.equal(detail['cause'], 'connection-lost')
    // What was on its way when it broke is ambiguous to us. Where the peer had it all, the second copy is what not
    // losing mail costs; there is no third, unless it was ambiguous again.
    const ambiguous = broken.filter(({ detail }) => detail['perhapsTaken'] === true).length
    if (at === '.') assert.ok(tally.duplicates >= 500 && ambiguous >= tally.duplicates)
    else assert.equal(tally.duplicates, 0)
    assert.ok(fault === 'silence' ? broken.length >= 500 : broken.length === 500)
  })
}
