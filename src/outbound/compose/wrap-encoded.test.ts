import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { wrapBase64, wrapQuotedPrintable } from './wrap-encoded.ts'

/** RFC 2045 §6.7, as a lenient reader has it. */
function decodeQuotedPrintable(encoded: string): string {
  return encoded
    .replaceAll(/[ \t]+(?=\r\n|$)/g, '')
    .replaceAll(/=(?:\r\n|$)/g, '')
    .replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const line = fc.tuple(
  fc.string({ unit: fc.constantFrom('a', '-', ' ', '\t', '=41', '=3d', '=E4', '\xe4'), maxLength: 60 }),
  fc.integer({ min: 1, max: 40 }),
  fc.constantFrom('', '=', '= ', '  '),
)
const quotedPrintable = fc
  .array(line, { maxLength: 5 })
  .map((lines) => lines.map(([piece, times, end]) => piece.repeat(times) + end).join('\r\n'))

test('quoted-printable says the same in lines that are short enough', () => {
  fc.assert(
    fc.property(quotedPrintable, (encoded) => {
      const wrapped = wrapQuotedPrintable(Buffer.from(encoded, 'latin1'), 100).toString('latin1')
      assert.equal(decodeQuotedPrintable(wrapped), decodeQuotedPrintable(encoded))
      const before = new Set(encoded.split('\r\n'))
      for (const line of wrapped.split('\r\n'))
        assert.ok(before.has(line) ? line.length <= 100 : line.length <= 76)
    }),
    { numRuns: 1000 },
  )
})

test('of what is no quoted-printable every octet stays', () => {
  for (const line of ['='.repeat(2000), `${'=x'.repeat(1000)}=`, `${'='.repeat(73)}${'x'.repeat(999)}`]) {
    const wrapped = wrapQuotedPrintable(Buffer.from(line), 998).toString('latin1')
    assert.equal(wrapped.replaceAll('=\r\n', ''), line)
  }
})

test('base64 is cut into lines of 76, and only where a line is too long', () => {
  const long = 'QUJDREVG'.repeat(200)
  const wrapped = wrapBase64(Buffer.from(`QQ==\r\n${long}\r\nQUJD\r\n`), 998).toString('latin1')
  const lines = wrapped.split('\r\n')
  assert.deepEqual([lines[0], ...lines.slice(-2)], ['QQ==', 'QUJD', ''])
  assert.ok(lines.every((line) => line.length <= 76 && line.length % 4 === 0))
  assert.equal(lines.slice(1, -2).join(''), long)
})
