import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  parseTimeRange,
  type RangeStep,
  spanOf,
  stepTimeRange,
  timeRangeBetween,
} from '../../dashboard/src/parts/time-range.ts'

/** How the range of the charts moves. */
const HOUR = 3_600_000
const MONTH = 31 * 24 * HOUR
const now = Date.parse('2026-11-20T12:00:00Z')
const limits = { now, lengths: ['30m', '1h', '6h', '24h', '7d', '31d'], longestMs: MONTH, keptMs: MONTH }
const at = (hour: number) => now + hour * HOUR
const between = (from: number, to: number) => timeRangeBetween(at(from), at(to))
const step = (range: string, name: RangeStep) => stepTimeRange(range, name, limits)

test('half of it sooner or later, half or twice as long around its middle', () => {
  assert.equal(step('24h', 'earlier'), between(-36, -12))
  assert.equal(step(between(-36, -12), 'earlier'), between(-48, -24))
  assert.equal(step('24h', 'narrower'), between(-18, -6))
  assert.equal(step(between(-18, -6), 'wider'), '24h')
  assert.equal(step(between(-60, -48), 'wider'), between(-66, -42))
})

test('what ends now has its name, and goes no later', () => {
  assert.equal(step(between(-36, -12), 'later'), '24h')
  assert.equal(step(between(-30, -6), 'later'), '24h')
  assert.equal(step(between(-3, -1), 'later'), between(-2, 0))
  for (const range of limits.lengths) assert.equal(step(range, 'later'), undefined)
})

test('there is an end to it, on every side', () => {
  assert.equal(step(between(-0.02, 0), 'narrower'), undefined)
  assert.equal(step('31d', 'wider'), undefined)
  assert.equal(step('31d', 'earlier'), undefined)
  assert.equal(step(between(-31 * 24, -31 * 24 + 6), 'earlier'), undefined)
  assert.equal(step('nonsense', 'wider'), undefined)
})

test('whatever is pressed, it is a range that may be shown, and never the same again', () => {
  const steps = fc.array(fc.constantFrom<RangeStep>('earlier', 'later', 'narrower', 'wider'), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(fc.constantFrom('30m', '24h', '31d'), steps, (start, pressed) => {
      let range: string = start
      for (const name of pressed) {
        const next = step(range, name)
        if (next === undefined) continue
        assert.notEqual(next, range)
        const { from, to } = spanOf(parseTimeRange(next) ?? assert.fail(next), now)
        assert.ok(to <= now && to - from >= 59_000 && to - from <= MONTH + 1000, next)
        assert.ok(from >= now - MONTH - 1000, next)
        range = next
      }
    }),
  )
})
