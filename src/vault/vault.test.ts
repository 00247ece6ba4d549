import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { openVault } from './vault.ts'

const place = { table: 'dkim_key', row: '01', account: 'acc' }
const key = randomBytes(32)

test('a sealed value opens in its place, whatever it is', () => {
  const vault = openVault(key)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const sealed = vault.seal(Buffer.from(bytes), place)
      assert.match(sealed, /^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/)
      assert.deepEqual(vault.open(sealed, place), Buffer.from(bytes))
    }),
  )
  assert.equal(vault.open(vault.seal('Grüße', place), place).toString(), 'Grüße')
})

test('the same value is never sealed the same way twice', () => {
  const vault = openVault(key)
  assert.notEqual(vault.seal('x', place), vault.seal('x', place))
})

test('it opens after a restart with the same master key', () => {
  assert.equal(
    openVault(key)
      .open(openVault(Buffer.from(key)).seal('x', place), place)
      .toString(),
    'x',
  )
})

test('a change of any one character is noticed', () => {
  const vault = openVault(key)
  const sealed = vault.seal('a secret', place)
  for (let i = 0; i < sealed.length; i++) {
    const other = sealed[i] === 'A' ? 'B' : 'A'
    assert.throws(() => vault.open(sealed.slice(0, i) + other + sealed.slice(i + 1), place), {
      name: 'SealBroken',
    })
    assert.throws(() => vault.open(`${sealed.slice(0, i)}!${sealed.slice(i)}`, place), { name: 'SealBroken' })
    assert.throws(() => vault.open(sealed.slice(0, i), place), { name: 'SealBroken' })
  }
})

test('a value moved to another table, row or account does not open', () => {
  const vault = openVault(key)
  const sealed = vault.seal('a secret', place)
  for (const moved of [{ table: 'webhook' }, { row: '02' }, { account: 'other' }, { account: '' }]) {
    assert.throws(() => vault.open(sealed, { ...place, ...moved }), { name: 'SealBroken' })
  }
  // The parts of a place cannot run into each other.
  assert.throws(() => vault.open(sealed, { table: 'dkim_key","01', row: '', account: 'acc' }), {
    name: 'SealBroken',
  })
})

test('another master key opens nothing, and the error names both keys but no secret', () => {
  const sealed = openVault(key).seal('a secret', place)
  assert.throws(
    () => openVault(randomBytes(32)).open(sealed, place),
    /sealed under another master key \([0-9a-f]{8}\)/,
  )
})

test('keys differ by purpose, version and master key, and are the same at every start', () => {
  const vault = openVault(key)
  const keys = [
    vault.macKey('return-path'),
    vault.macKey('return-path', 2),
    vault.macKey('srs'),
    openVault(randomBytes(32)).macKey('return-path'),
  ].map((bytes) => bytes.toString('hex'))
  assert.equal(new Set(keys).size, 4)
  assert.ok(keys.every((hex) => hex.length === 64))
  assert.deepEqual(openVault(key).macKey('return-path', 1), vault.macKey('return-path'))
})

test('a master key has 32 bytes', () => {
  assert.throws(() => openVault(randomBytes(16)), RangeError)
})
