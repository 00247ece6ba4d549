import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type Conduct, nextQuota, type QuotaGrowth } from './next-quota.ts'

const rule: QuotaGrowth = {
  ...{ start: 100, growth: 1.5, ceiling: 1000, shrink: 0.5, floor: 10 },
  most: { hardBounces: 0.02, complaints: 0.001 },
}
const fine = { settled: 100, hardBounces: 0, complaints: 0 }
const after = (busiest: number, since: Partial<Conduct>, lately: Partial<Conduct> = since) => ({
  busiest,
  since: { ...fine, ...since },
  lately: { ...fine, ...lately },
})

const CASES = [
  ['a good day that used all of it', after(100, {}), 150, 'grown'],
  ['half of it', after(50, {}), 150, 'grown'],
  ['less than half', after(49, {}), 100, 'unused'],
  ['one of a hundred bounced', after(100, { hardBounces: 1 }), 150, 'grown'],
  [
    'two of a hundred bounced: too many, and too few to shrink',
    after(100, { hardBounces: 2 }),
    100,
    'hard-bounces',
  ],
  ['three of a hundred bounced', after(100, { hardBounces: 3 }), 50, 'hard-bounces'],
  ['the same of an account that sent little', after(9, { settled: 9, hardBounces: 3 }), 50, 'hard-bounces'],
  ['one of a hundred complained', after(100, { complaints: 1 }), 100, 'complaints'],
  ['two of a hundred complained', after(100, { complaints: 2 }), 50, 'complaints'],
  ['one of two thousand complained', after(100, { settled: 2000, complaints: 1 }), 150, 'grown'],
  ['a good day after a bad one', after(100, {}, { settled: 200, hardBounces: 20 }), 100, 'hard-bounces'],
  [
    'a bad day in a good week',
    after(100, { hardBounces: 5 }, { settled: 900, hardBounces: 5 }),
    100,
    'hard-bounces',
  ],
  [
    'complaints about what was sent before',
    after(0, { settled: 0, complaints: 3 }, { settled: 9000, complaints: 3 }),
    100,
    'complaints',
  ],
  ['nothing at all', after(0, { settled: 0 }), 100, 'unused'],
] as const
for (const [name, standing, quota, reason] of CASES)
  test(`${name}: 100 becomes ${quota} (${reason})`, () =>
    assert.deepEqual(nextQuota(100, standing, rule), { quota, reason }))

test('it stops at the ceiling and at the floor, and one that is below the floor stays', () => {
  assert.deepEqual(nextQuota(1000, after(1000, {}), rule), { quota: 1000, reason: 'ceiling' })
  assert.equal(nextQuota(12, after(12, { hardBounces: 50 }), rule).quota, 10)
  assert.equal(nextQuota(4, after(4, { hardBounces: 50 }), rule).quota, 4)
})

test('it grows and shrinks by its factors at most, and the reason says which', () => {
  const conduct = fc.record({ settled: fc.nat(9000), hardBounces: fc.nat(90), complaints: fc.nat(20) })
  fc.assert(
    fc.property(
      fc.record({ quota: fc.nat(5000), busiest: fc.nat(5000), since: conduct, lately: conduct }),
      fc.double({ min: 1, max: 10, noNaN: true }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      ({ quota, ...standing }, growth, shrink) => {
        const next = nextQuota(quota, standing, { ...rule, growth, shrink })
        assert.ok(Number.isInteger(next.quota))
        assert.ok(next.quota >= Math.min(quota, rule.floor, Math.floor(quota * shrink)))
        assert.ok(next.quota <= Math.max(quota, Math.min(rule.ceiling, Math.ceil(quota * growth))))
        assert.equal(next.quota > quota, next.reason === 'grown')
        if (next.quota < quota) assert.match(next.reason, /hard-bounces|complaints/)
      },
    ),
  )
})
