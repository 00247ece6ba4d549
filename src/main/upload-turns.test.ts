import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openUploadTurns } from './upload-turns.ts'

test('an account that uploads without end keeps nobody else waiting', async () => {
  const turns = openUploadTurns()
  const many = Array.from({ length: 22 }, () => turns.take('a'))
  const first = await many[0]
  assert.equal(await many[21], undefined, 'so many may wait')
  // Beside it, and not behind all of its others.
  const other = await turns.take('b')
  const third = turns.take('c')
  other?.()
  const fourth = turns.take('d')
  ;(await third)?.()
  ;(await fourth)?.()
  for (const each of [Promise.resolve(first), ...many.slice(1, 21)]) (await each)?.()
  assert.ok(await turns.take('a'), 'all had their turn')
})
