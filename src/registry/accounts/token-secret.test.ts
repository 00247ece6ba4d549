import assert from 'node:assert/strict'
import test from 'node:test'
import { hashSecret, LONGEST_SECRET, newTokenSecret, sameHash } from './token-secret.ts'

test('a hash is the same as itself and as nothing else, of whatever length', () => {
  const hash = hashSecret(newTokenSecret())
  assert.equal(sameHash(hash, hash), true)
  for (const other of [hashSecret('x'), hash.slice(1), `${hash}0`, '', undefined])
    assert.equal(sameHash(other, hash), false)
})

test('where nothing is stored, nothing matches', () => {
  assert.equal(sameHash(undefined, '0'.repeat(64)), false)
})

test('what is longer than any secret has the hash of none', () => {
  const longest = 'x'.repeat(LONGEST_SECRET)
  assert.notEqual(hashSecret(`${longest}x`), hashSecret(longest))
  assert.equal(hashSecret(`${longest}xy`), hashSecret(`${longest}xz`))
})
