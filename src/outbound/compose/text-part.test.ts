import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encodeTextPart, findLongLine, withCrlf } from './text-part.ts'

/** The same, line by line. */
function longLineOf(text: string, limit: number): { start: number; octets: number } | undefined {
  let start = 0
  for (const line of text.split('\r\n')) {
    if (line.length > limit) return { start, octets: line.length }
    start += line.length + 2
  }
  return undefined
}

test('the first line that is too long is found, wherever it stands', () => {
  const line = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 60 }))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 12 }), (lengths, limit) => {
      const text = lengths.map((length) => 'x'.repeat(length)).join('\r\n')
      assert.deepEqual(findLongLine(Buffer.from(text), limit), longLineOf(text, limit))
    }),
    { numRuns: 2000 },
  )
})

test('line ends of any kind become CRLF, and the text stays', () => {
  const text = fc.string({ unit: fc.constantFrom('\r', '\n', 'a', ' ', 'ü', '💡'), maxLength: 60 })
  fc.assert(
    fc.property(text, (given) => assert.equal(withCrlf(given), given.split(/\r\n|\r|\n/).join('\r\n'))),
  )
  const { body } = encodeTextPart('plain', '\n'.repeat(1_000_000))
  assert.ok(body.equals(Buffer.from('\r\n'.repeat(1_000_000))))
})
