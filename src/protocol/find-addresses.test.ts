import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressesIn } from './find-addresses.ts'

for (const [text, found] of [
  ['<a@b.example>: no', ['a@b.example']],
  ['to "jane doe"@example.org.', ['"jane doe"@example.org']],
  ["'o'brien@example.org'", ["o'brien@example.org"]],
  ['a@b.example,c@d.example; <mailto:e@f.example>', ['a@b.example', 'c@d.example', 'e@f.example']],
  ['jäne@exämple.org', ['jäne@exämple.org']],
  ['x@[192.0.2.1]', ['x@[192.0.2.1]']],
  ['@ a@ @b <@>', []],
  ['"@b.example', []],
] as const) {
  test(`in ${text}`, () => {
    assert.deepEqual(addressesIn(text, 10), found)
  })
}

test('every address found stands in the text, and no more than asked for', () => {
  const piece = fc.oneof(
    fc.constantFrom('a@b.example', '@', '"', '<', '>', '.', '[', ' '),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(piece), fc.nat(5), (pieces, most) => {
      const text = pieces.join('')
      const found = addressesIn(text, most)
      assert.ok(found.length <= most)
      for (const address of found) assert.ok(text.includes(address))
    }),
  )
})
