import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RESTING_AFTER, RETRY_MS, restWait, retryWait } from './retry-schedule.ts'

const HOUR = 3_600_000

test('a webhook that fails is tried for more than three days, ever less often', () => {
  const waits = RETRY_MS.map((_, index) => retryWait(index + 1, 0, {}) ?? assert.fail())
  assert.deepEqual(waits.slice(0, 4), [5000, 300_000, 1_800_000, 2 * HOUR])
  assert.deepEqual(
    waits,
    waits.toSorted((a, b) => a - b),
  )
  assert.ok(waits.reduce((sum, ms) => sum + ms, 0) > 72 * HOUR)
  assert.equal(retryWait(RETRY_MS.length + 1, 0, {}), undefined)
})

test('what failed together is spread, and who asks for more time has it', () => {
  assert.equal(retryWait(1, 0.5, {}), 5250)
  assert.equal(retryWait(1, 0, { atLeastMs: HOUR }), HOUR)
  assert.equal(retryWait(4, 0, { atLeastMs: 1000 }), 2 * HOUR)
})

test('one that does nothing but fail rests longer and longer, and never for long', () => {
  assert.equal(restWait(RESTING_AFTER - 1), 0)
  assert.deepEqual(
    [0, 1, 2, 99].map((more) => restWait(RESTING_AFTER + more)),
    [5000, 10_000, 20_000, 300_000],
  )
})
