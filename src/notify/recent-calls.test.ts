import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openRecentCalls } from './recent-calls.ts'

test('within no such time are there more calls than there may be, and what was refused is forgotten', () => {
  const call = fc.record({ key: fc.constantFrom('a', 'b'), later: fc.integer({ min: 0, max: 40 }) })
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
      let now = 1000
      const recent = openRecentCalls({ most: 3, withinMs: 100, clock: () => now })
      const taken: Record<string, number[]> = { a: [], b: [] }
      for (const { key, later } of calls) {
        now += later
        const mine = taken[key] ?? []
        const fits = mine.filter((at) => at > now - 100).length < 3
        assert.equal(recent.take(key), fits)
        if (fits) mine.push(now)
      }
    }),
  )
})

test('a clock that is set back keeps nobody out', () => {
  let now = 1_000_000
  const recent = openRecentCalls({ most: 1, withinMs: 100, clock: () => now })
  assert.deepEqual([recent.take('a'), recent.take('a')], [true, false])
  now = 5000
  assert.deepEqual([recent.take('a'), recent.take('a')], [true, false])
})
