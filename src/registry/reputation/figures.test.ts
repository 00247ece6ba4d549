import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type FiguresProblem, problemsOf, ratesOf, sum } from './figures.ts'
import { providerOf } from './provider.ts'

const thresholds = { delivery: 0.95, hardBounce: 0.02, complaint: 0.001 }
const fine = { settled: 1000, delivered: 1000, hardBounced: 0, complained: 0 }

const CASES = [
  ['all arrived', fine, []],
  ['nothing was sent', { ...fine, settled: 0, delivered: 0 }, []],
  ['1.9 % bounced', { ...fine, delivered: 981, hardBounced: 19 }, []],
  ['2 % bounced', { ...fine, delivered: 980, hardBounced: 20 }, ['hard_bounce_rate.high']],
  ['95.1 % arrived', { ...fine, delivered: 951 }, []],
  ['95 % arrived', { ...fine, delivered: 950 }, ['delivery_rate.low']],
  ['one complaint of a thousand', { ...fine, complained: 1 }, []],
  [
    'two complaints of two thousand',
    { ...fine, settled: 2000, delivered: 2000, complained: 2 },
    ['complaint_rate.high'],
  ],
  [
    'all three',
    { ...fine, delivered: 900, hardBounced: 100, complained: 9 },
    ['delivery_rate.low', 'hard_bounce_rate.high', 'complaint_rate.high'],
  ],
  ['fewer than a hundred', { settled: 99, delivered: 0, hardBounced: 99, complained: 9 }, []],
] as const
for (const [name, figures, problems] of CASES)
  test(`thresholds: ${name}`, () => assert.deepEqual(problemsOf(figures, thresholds, []), problems))

test('a problem is over a tenth below its threshold, not at it, and not because there is little mail', () => {
  const known: FiguresProblem[] = ['hard_bounce_rate.high']
  const bounced = (hardBounced: number) =>
    problemsOf({ ...fine, delivered: 1000 - hardBounced, hardBounced }, thresholds, known)
  assert.deepEqual(bounced(19), known)
  assert.deepEqual(bounced(18), [])
  const little = { settled: 10, delivered: 8, hardBounced: 2, complained: 0 }
  assert.deepEqual(problemsOf(little, thresholds, known), known)
})

test('rates lie between 0 and 1, whatever came back of earlier mail', () => {
  const count = fc.integer({ min: -50, max: 200 })
  const figures = fc.record({
    settled: fc.nat(200),
    delivered: count,
    hardBounced: fc.nat(300),
    complained: fc.nat(300),
  })
  fc.assert(
    fc.property(fc.array(figures), (all) => {
      const total = sum(all)
      for (const rate of Object.values(ratesOf(total))) {
        if (total.settled === 0) assert.equal(rate, null)
        else assert.ok(rate >= 0 && rate <= 1)
      }
    }),
  )
})

const PROVIDERS = [
  [{ domain: 'gmail.com' }, 'google'],
  [{ domain: 'Example.com', host: 'ASPMX.L.GOOGLE.com.' }, 'google'],
  [{ domain: 'example.com', host: 'example-com.mail.protection.outlook.com' }, 'microsoft'],
  // The address counts before the host: a smarthost's is the same for all.
  [{ domain: 'yahoo.com', host: 'smtp.google.com' }, 'yahoo'],
  [{ domain: 'notgmail.com' }, 'other'],
  [{ domain: 'com' }, 'other'],
  [{ domain: '' }, 'other'],
] as const
for (const [recipient, provider] of PROVIDERS)
  test(`provider of ${JSON.stringify(recipient)}`, () => assert.equal(providerOf(recipient), provider))
