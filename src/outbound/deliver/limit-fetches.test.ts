import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fetched } from '#net/guarded-fetch.ts'
import { limitFetches } from './limit-fetches.ts'

const REQUEST = { timeoutMs: 1000, maxOctets: 1 }

test('so many at a time, so many wait in order, and the rest are turned away', async () => {
  const begun: string[] = []
  const ends: ((fetched: Fetched) => void)[] = []
  const fetch = limitFetches(
    (url) => {
      begun.push(url)
      return new Promise((resolve) => ends.push(resolve))
    },
    2,
    2,
  )
  const asked = ['a', 'b', 'c', 'd', 'e'].map((url) => fetch(url, REQUEST))
  assert.equal((await asked[4])?.kind, 'failed')
  assert.deepEqual(begun, ['a', 'b'])
  const refused: Fetched = { kind: 'refused', detail: '' }
  for (const index of [0, 1, 2, 3]) {
    ends[index]?.(refused)
    assert.equal(await asked[index], refused)
  }
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  const again = fetch('f', REQUEST)
  ends[4]?.(refused)
  assert.equal(await again, refused)
})

test('one that throws gives its place back', async () => {
  const fetch = limitFetches(() => Promise.reject(new Error('broken')), 1, 0)
  for (let round = 0; round < 3; round++) await assert.rejects(fetch('a', REQUEST), /broken/)
})
