import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRate } from './rate.ts'

const RATES = [
  ['10/s', { count: 10, perMs: 1000 }],
  [' 600/min ', { count: 600, perMs: 60_000 }],
  ['1/h', { count: 1, perMs: 3_600_000 }],
  ['100000/d', { count: 100_000, perMs: 86_400_000 }],
  ['0/s', undefined],
  ['10', undefined],
  ['10/m', undefined],
  ['-1/s', undefined],
  ['1.5/s', undefined],
  ['10/s/s', undefined],
  ['', undefined],
] as const
for (const [text, rate] of RATES)
  test(`the rate "${text}"`, () => {
    assert.deepEqual(parseRate(text), rate)
  })
