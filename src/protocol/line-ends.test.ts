import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { normaliseLineEnds } from './line-ends.ts'

const anyContent = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '.', 'a', '\0', 'é', '\xff'), { maxLength: 60 })
  .map((parts) => Buffer.from(parts.join(''), 'latin1'))

test('every bare CR and bare LF becomes CRLF', () => {
  assert.equal(
    normaliseLineEnds(Buffer.from('a\nb\rc\r\nd\r\r\ne\n\r')).toString(),
    'a\r\nb\r\nc\r\nd\r\n\r\ne\r\n\r\n',
  )
})

test('content that has CRLF only comes back as the very same buffer', () => {
  const content = Buffer.from('a\r\n\r\n.b\r\n')
  assert.equal(normaliseLineEnds(content), content)
})

test('any content: the same as splitting into lines, nothing else changed, and once is enough', () => {
  fc.assert(
    fc.property(anyContent, (content) => {
      const out = normaliseLineEnds(content)
      assert.deepEqual(out.toString('latin1').split('\r\n'), content.toString('latin1').split(/\r\n|\r|\n/))
      assert.doesNotMatch(out.toString('latin1'), /\r(?!\n)|(?<!\r)\n/)
      assert.equal(normaliseLineEnds(out), out)
    }),
    { numRuns: 1000 },
  )
})
