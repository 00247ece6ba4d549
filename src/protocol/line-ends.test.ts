import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { headerLineEnds, normaliseLineEnds } from './line-ends.ts'

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

test('the line ends of a header are alike, or not, whatever follows its blank line', () => {
  const WITHIN = 100
  for (const [content, found] of [
    ['a: b\r\n\r\nx\ny\rz', 'alike'],
    ['a: b\n\nx\r\ny\rz', 'alike'],
    ['a: b\r\n c\r\n', 'alike'],
    ['a: b', 'alike'],
    ['', 'alike'],
    ['\nx\r', 'alike'],
    ['a: b\rc: d\r\n\r\nx', 'bare-cr'],
    ['a: b\r\rx\r\n\r\n', 'bare-cr'],
    ['a: b\r', 'bare-cr'],
    ['a: b\nc: d\re: f\n\n', 'bare-cr'],
    ['a: b\r\r\nc: d\r\r\n\r\r\nx', 'cr-cr-lf'],
    ['a: b\r\nc: d\n\r\n', 'mixed'],
    ['a: b\nc: d\r\n\n', 'mixed'],
    ['a: b\r\n\nx', 'mixed'],
    ['a: b\n\r\nx', 'mixed'],
    [`a: ${'b'.repeat(WITHIN)}\r`, 'alike'],
  ] as const) {
    assert.equal(headerLineEnds(Buffer.from(content), WITHIN), found, JSON.stringify(content))
  }
})

test('any header whose line ends are alike has one end: all readers see the same lines', () => {
  fc.assert(
    fc.property(anyContent, (content) => {
      if (headerLineEnds(content, Infinity) !== 'alike') return
      const lineEnds = new Set<string | undefined>()
      for (const [, line, lineEnd] of content.toString('latin1').matchAll(/([^\r\n]*)(\r\n|\r|\n)/g)) {
        lineEnds.add(lineEnd)
        if (line === '') break
      }
      assert.ok(lineEnds.size <= 1 && !lineEnds.has('\r'))
    }),
    { numRuns: 1000 },
  )
})
