import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoff, leastWait } from './backoff.ts'

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

const HOURS = [60_000, 600_000, 3_600_000]

test('greylisting is given the five minutes that it takes, and no more than the schedule’s longest', () => {
  assert.equal(
    leastWait(HOURS, 'greylisted', { reply: '451 4.7.1 Greylisted, please try again later' }),
    300_000,
  )
  assert.equal(leastWait([1000, 3000, 10_000], 'greylisted', { reply: '451 greylisted' }), 10_000)
  assert.equal(leastWait(HOURS, 'system', { reply: '451 4.3.0 try again later' }), 0)
})

for (const [reply, ms] of [
  ['450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/x.html; try again in 300 seconds', 300_000],
  ['451 4.7.1 Please try again after 15 minutes', 900_000],
  ['421 too many messages, retry in 2 hours', 3_600_000],
  ['451 come back in 30s', 30_000],
  ['451 try again in a few minutes', 0],
  ['451 error 300 seconds', 0],
] as const) {
  test(`what the host asks for is done: ${reply}`, () =>
    assert.equal(leastWait(HOURS, 'system', { reply }), ms))
}

test('where the message may have arrived already, the host is given time to be done with it', () => {
  assert.equal(leastWait(HOURS, 'connection-lost', { reply: 'connection lost', perhapsTaken: true }), 900_000)
})
