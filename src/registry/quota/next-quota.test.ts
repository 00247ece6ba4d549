import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { nextQuota } from './next-quota.ts'

const rule = { start: 100, growth: 1.5, ceiling: 1000 }
const fine = { busiest: 100, sent: 100, hardBounces: 0, complaints: 0 }

const CASES = [
  ['a good day that used all of it', fine, 150],
  ['half of it', { ...fine, busiest: 50 }, 150],
  ['less than half', { ...fine, busiest: 49 }, 100],
  ['one of a hundred bounced', { ...fine, hardBounces: 1 }, 150],
  ['two of a hundred bounced', { ...fine, hardBounces: 2 }, 100],
  ['one of a hundred complained', { ...fine, complaints: 1 }, 100],
  ['one of two thousand complained', { ...fine, sent: 2000, complaints: 1 }, 150],
] as const
for (const [name, conduct, next] of CASES)
  test(`${name}: 100 becomes ${next}`, () => assert.equal(nextQuota(100, conduct, rule), next))

test('it never shrinks, grows by the factor at most, and stops at the ceiling', () => {
  fc.assert(
    fc.property(
      fc.record({ quota: fc.nat(5000), busiest: fc.nat(5000), sent: fc.nat(9000), bad: fc.nat(90) }),
      fc.double({ min: 1, max: 10, noNaN: true }),
      ({ quota, busiest, sent, bad }, growth) => {
        const conduct = { busiest, sent, hardBounces: bad, complaints: bad }
        const next = nextQuota(quota, conduct, { ...rule, growth })
        assert.ok(Number.isInteger(next) && next >= quota)
        assert.ok(next <= Math.max(quota, Math.min(1000, Math.ceil(quota * growth))))
      },
    ),
  )
})
