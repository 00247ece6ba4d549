import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from './id.ts'

test('an id is a UUIDv7 in 32 lower-case hex digits, and ids sort by their time', () => {
  const ids = Array.from({ length: 1000 }, newId)
  // RFC 9562 §5.7: version 7 in the 13th digit, variant 10 in the 17th.
  for (const id of ids) assert.match(id, /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
  assert.equal(new Set(ids).size, ids.length)
  const times = ids.map((id) => id.slice(0, 12))
  assert.deepEqual(times, [...times].sort())
})
