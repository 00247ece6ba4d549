import assert from 'node:assert/strict'
import test from 'node:test'
import { PERMISSIONS } from '#model/permission.ts'
import { parsePermissions } from './permission.ts'

test('every permission survives being stored', () => {
  assert.deepEqual([...parsePermissions(JSON.stringify(PERMISSIONS))], [...PERMISSIONS])
})

test('reading is implied by editing, and not the other way round', () => {
  assert.deepEqual([...parsePermissions('["Zone DNS:Edit"]')], ['Zone DNS:Read', 'Zone DNS:Edit'])
  assert.deepEqual([...parsePermissions('["Zone DNS:Read"]')], ['Zone DNS:Read'])
})

test('unknown names grant nothing', () => {
  assert.deepEqual([...parsePermissions('["Email Sending", "email sending:edit", "*", 7, null, {}]')], [])
})

test('what is no list of permissions is a bug of whoever stored it', () => {
  for (const stored of ['"Email Sending:Edit"', '{}', 'null', '', 'x'])
    assert.throws(() => parsePermissions(stored))
})
