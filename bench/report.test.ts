import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ratios, spread, summarise } from './report.ts'

const result = (name: string, ...rates: number[]) => ({
  name,
  summary: summarise([]),
  rounds: rates.map((perSecond) => ({ perSecond })),
})

test('ratios to the peer, round by round; a round that it does not have counts for nothing', () => {
  const results = [result('REST', 20, 30), result('Submission', 40, 60, 80), result('Postfix', 10, 20)]
  assert.deepEqual(ratios(results, 'Postfix'), { REST: [2, 1.5], Submission: [4, 3] })
  assert.deepEqual(ratios(results.slice(0, 2), 'Postfix'), {})
})

test('the median of an even number of values lies between the middle two', () => {
  assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 })
  assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 })
})
