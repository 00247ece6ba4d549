import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '#store/store.ts'
import { startFaultPeer } from '#test/fault-peer.ts'
import { manyAt, openFaultRun } from '#test/fault-run.ts'
import { deliveriesIn, lanesIn, letPass, until } from '#test/outbound.ts'
import { openTestStore } from '#test/stores.ts'

/** DURABILITY's clock steps, of the process and of the store alike: no timer is lost, no claim is given up, nothing
 *  expires but by a clock that really is past its end. */

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A dead lane rests as long by a clock that does not step, whatever the store's says. */
const RETRY_MS = 3000

/** `waitMs`: what passes by the stepped clock until everything that was put off is due. */
const STEPS: readonly [engine: Store['engine'], what: string, stepMs: number, waitMs: number][] = [
  ['sqlite', 'a day ahead', DAY_MS, 0],
  // Further ahead than any honest wait: due at once (promise 3).
  ['sqlite', 'a day back', -DAY_MS, 0],
  ['postgres', 'a day back', -DAY_MS, 0],
  // No further than a backoff may be: everything waits that hour, and is not forgotten.
  ['sqlite', 'an hour back', -HOUR_MS, HOUR_MS],
]

for (const [engine, what, stepMs, waitMs] of STEPS) {
  test(`the clock steps ${what}, with mail under way and put off (${engine})`, async (t) => {
    await using open = await openTestStore(engine)
    let offset = 0
    let faulty = true
    const slow = await startFaultPeer(t, (moment) => {
      if (moment === 'EHLO' || moment === 'greeting' || moment === 'half') return undefined
      return { dribble: moment === 'DATA' ? '354 Go on' : '250 2.0.0 Ok', everyMs: 2 }
    })
    const grey = await startFaultPeer(t, (moment) =>
      faulty && moment === 'RCPT' ? '451 4.3.0 Later' : undefined,
    )
    const dead = await startFaultPeer(t, (moment) => (faulty && moment === 'greeting' ? 'close' : undefined))
    await using run = await openFaultRun(open, {
      peers: { 'slow.example': slow.port, 'grey.example': grey.port, 'dead.example': dead.port },
      now: () => Date.now() + offset,
      retryMs: [RETRY_MS],
      timeouts: { mailMs: 5000, rcptMs: 5000, dataMs: 5000, finalDotMs: 5000 },
    })
    const domains = ['slow.example', 'grey.example', 'dead.example']
    await run.promise(domains.flatMap((domain) => manyAt(domain, 170)))
    await until('some are under way, the others put off', async () => {
      const rows = await deliveriesIn(open.store)
      const waits = rows.filter(({ state, attempts }) => state === 'waiting' && attempts > 0).length
      return waits >= 171 && slow.ledger.length > 10 && slow.ledger.length < 170
    })
    faulty = false
    offset = stepMs
    await letPass(open.store, stepMs)
    await until('what is under way arrives', () => slow.ledger.length === 170)
    if (waitMs > 0) {
      const before = await lanesIn(open.store)
      assert.equal(before.filter(({ due_at }) => due_at > Date.now()).length, 2)
      offset += waitMs + 60_000
      await letPass(open.store, waitMs + 60_000)
    }
    await run.drained()
    const tally = await run.judge([slow, grey, dead], { clockStepped: true })
    assert.deepEqual([tally.delivered, tally.duplicates], [510, 0])
    // One failed attempt of each grey delivery, one of the dead lane: the step made none of its own.
    assert.equal(tally.attempts.filter(({ type }) => type === 'deferred').length, 171)
    for (const { detail } of tally.attempts) {
      const durationMs = Number(detail['durationMs'] ?? 0)
      assert.ok(durationMs >= 0 && durationMs < 60_000, `${durationMs} ms`)
    }
  })
}
