import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isMediaType } from './media-type.ts'

const RIGHT = [
  'application/pdf',
  'image/svg+xml',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'text/csv; charset=utf-8',
  'text/csv;charset=utf-8;header=present',
  'text/plain ;\tcharset="us-ascii"',
  'application/pdf; name="a; b.pdf"',
]
const WRONG = [
  '',
  'pdf',
  'application/',
  '/pdf',
  'application/pdf;',
  'text/csv; charset',
  'text/csv; charset=',
  'text/csv; charset="utf-8',
  'text/csv; name="a\\"b"',
  'text/csv; name="ä.csv"',
  "text/csv; name*=utf-8''a",
  'text/csv (comment)',
  'text/csv, text/html',
  'text/csv; a="\r\nBcc: x"',
  'text/csv\r\nBcc: x',
  `a/b; c=${'d'.repeat(300)}`,
]

for (const type of RIGHT) test(`${type} is a media type`, () => assert.equal(isMediaType(type), true))
for (const type of WRONG) {
  test(`${JSON.stringify(type.slice(0, 60))} is none`, () => assert.equal(isMediaType(type), false))
}

test('whatever passes is printable ASCII on one line', () => {
  const piece = fc.constantFrom('a/b', ';', ' ', '\t', 'c', '=', '"', '\\', '\r\n', '\v', '\u0085', 'ü', '\0')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const type = pieces.join('')
      if (isMediaType(type)) assert.match(type, /^[\t -~]+$/)
    }),
    { numRuns: 2000 },
  )
})
