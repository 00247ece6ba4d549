import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoff } from './backoff.ts'

test('the delays come in turn, and the last one repeats', () => {
  const delays = [1000, 3000, 10_000]
  assert.deepEqual(
    [1, 2, 3, 4, 50].map((attempts) => backoff(delays, attempts, 0)),
    [1000, 3000, 10_000, 10_000, 10_000],
  )
})

test('chance adds up to a quarter and takes nothing away; the result is a whole number for the store', () => {
  const delays = fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1 })
  const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  fc.assert(
    fc.property(delays, fc.integer({ min: 1, max: 1000 }), chance, (delays, attempts, random) => {
      const wait = backoff(delays, attempts, random)
      const delay = delays[Math.min(attempts, delays.length) - 1] ?? 0
      assert.ok(Number.isInteger(wait))
      assert.ok(wait >= delay && wait <= Math.ceil(delay * 1.25))
    }),
  )
})

test('without a schedule a minute passes', () => {
  assert.equal(backoff([], 3, 0), 60_000)
})
