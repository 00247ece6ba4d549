import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeKeyCursor, encodeKeyCursor, isKvKey, type KvKey, keyRange, parseKvKey } from './kv-key.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })
const keyOf = (given: string): KvKey => {
  const key = parseKvKey(given)
  return isKvKey(key) ? key : assert.fail(key.detail)
}
const keys = text.filter((given) => isKvKey(parseKvKey(given)))

test('a key has 1 to 512 octets and is no dots', () => {
  for (const bad of ['', '.', '..', 'x'.repeat(513), 'é'.repeat(257), '\ud800']) {
    assert.ok(!isKvKey(parseKvKey(bad)), bad.slice(0, 10))
  }
  for (const good of ['a', '...', 'é'.repeat(256), 'a/b?c#d%', '\0', ' ', '💌']) {
    assert.equal(keyOf(good).toString(), good)
  }
})

test('a range has the keys that begin with its prefix, and no others', () => {
  fc.assert(
    fc.property(keys, keys, (prefix, name) => {
      const { low, high } = keyRange(prefix)
      for (const key of [keyOf(name), Buffer.from(prefix + name)]) {
        const isIn = Buffer.compare(key, low) >= 0 && Buffer.compare(key, high) < 0
        assert.equal(isIn, key.subarray(0, low.length).equals(low))
      }
    }),
  )
})

test('every key is in the range of the empty prefix', () => {
  fc.assert(
    fc.property(keys, (name) => {
      const { low, high } = keyRange('')
      assert.ok(Buffer.compare(keyOf(name), low) >= 0 && Buffer.compare(keyOf(name), high) < 0)
    }),
  )
})

test('behind a key comes what is greater, and what its prefix has', () => {
  fc.assert(
    fc.property(text, keys, keys, (prefix, after, name) => {
      const range = keyRange(prefix, keyOf(after))
      const key = keyOf(name)
      const isIn = Buffer.compare(key, range.low) >= 0 && Buffer.compare(key, range.high) < 0
      const prefixOctets = Buffer.from(prefix)
      const expected =
        key.subarray(0, prefixOctets.length).equals(prefixOctets) && Buffer.compare(key, keyOf(after)) > 0
      assert.equal(isIn, expected)
    }),
  )
})

test('a cursor comes back as its key, and nothing else is one', () => {
  fc.assert(
    fc.property(keys, (name) => assert.deepEqual(decodeKeyCursor(encodeKeyCursor(keyOf(name))), keyOf(name))),
  )
  fc.assert(
    fc.property(fc.oneof(text, fc.base64String()), (given) => {
      const key = decodeKeyCursor(given)
      if (key) assert.equal(encodeKeyCursor(key), given)
    }),
  )
  for (const bad of ['', 'a', 'AB=', 'A'.repeat(701), '"; drop'])
    assert.equal(decodeKeyCursor(bad), undefined)
})
