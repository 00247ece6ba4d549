import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { headerBlock, readHeaders } from '../../dashboard/src/messages/mail-headers.ts'
import { visibleText } from '../../dashboard/src/parts/visible-text.ts'

/** What the dashboard reads of a message by itself, whose author may mean it ill. */
const crlf = (text: string) => text.replaceAll('\n', '\r\n')

test('headers are unfolded, in their order, and end with the first empty line', () => {
  const headers = readHeaders(headerBlock(crlf('A: 1\nB: two\n lines\na: 3\n\nC: body\n')))
  assert.deepEqual(headers, [
    { name: 'A', value: '1' },
    { name: 'B', value: 'two\n lines' },
    { name: 'a', value: '3' },
  ])
})

test('nothing turns the writing round or hides', () => {
  assert.equal(visibleText('invoice\u202egpj.exe'), 'invoice\ufffdgpj.exe')
  assert.equal(visibleText('a\u0000b\u2066c\td\ne'), 'a\ufffdb\ufffdc\td\ne')
  assert.equal(visibleText('👩‍🚀 grün'), '👩‍🚀 grün')
})

test('whatever a source is, its header ends where an empty line is, and no line of it is lost', () => {
  const line = fc.oneof(
    fc.constantFrom(
      'Subject: x',
      ' folded',
      '',
      'Content-Type: multipart/mixed; boundary=b',
      ':',
      'no field',
    ),
    fc.string({ maxLength: 20 }),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), fc.constantFrom('\r\n', '\n'), (lines, end) => {
      const block = headerBlock(lines.join(end))
      assert.ok(lines.join(end).startsWith(block))
      assert.doesNotMatch(block, /\n\r?\n[^\r\n]/)
      for (const { name } of readHeaders(block)) assert.match(name, /^[!-9;-~]+$/)
    }),
  )
})
