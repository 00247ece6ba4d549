import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeWords } from '../../dashboard/src/messages/encoded-words.ts'
import { headerBlock, parameterOf, readHeaders } from '../../dashboard/src/messages/mail-headers.ts'
import { attachedParts, decodePart } from '../../dashboard/src/messages/mail-parts.ts'
import { octetString } from '../../dashboard/src/messages/octet-string.ts'
import { visibleText } from '../../dashboard/src/parts/visible-text.ts'

/** What the dashboard reads of a message by itself, whose author may mean it ill. */
const crlf = (text: string) => text.replaceAll('\n', '\r\n')
const asSource = (text: string) => octetString(Buffer.from(text))

const MESSAGE = crlf(`From: a@example.com
Content-Type: multipart/mixed; boundary="one two"
Subject: x

before
--one two
Content-Type: multipart/alternative; boundary=in

--in
Content-Type: text/plain

the text
--in
Content-Type: text/html

<p>the text
--in--
--one two
Content-Type: text/csv; name=other.csv
Content-Disposition: attachment; filename="figures.csv"
Content-Transfer-Encoding: base64

YSxi
--one two
Content-Type: image/png
Content-Disposition: inline;
 filename*0*=utf-8''na%C3%AF;
 filename*1="ve.png"

bytes
--one two
Content-Disposition: attachment; filename="=?utf-8?Q?gr=C3=BCn?= =?utf-8?B?LnR4dA==?="
Content-Transfer-Encoding: quoted-printable

a=3Db=
c
--one two
Content-Type: message/rfc822

Subject: inner

--one two inside is no boundary
--one two--
after
`)

test('attachments are found with their names, and hold what was sent', () => {
  const source = asSource(MESSAGE)
  const parts = attachedParts(source)
  assert.deepEqual(
    parts.map((part) => [part.name, part.type, Buffer.from(decodePart(source, part)).toString()]),
    [
      ['figures.csv', 'text/csv', 'a,b'],
      ['naïve.png', 'image/png', 'bytes'],
      ['grün.txt', 'text/plain', 'a=bc'],
      [undefined, 'message/rfc822', crlf('Subject: inner\n\n--one two inside is no boundary')],
    ],
  )
})

test('headers are unfolded, in their order, and end with the first empty line', () => {
  const headers = readHeaders(headerBlock(crlf('A: 1\nB: two\n lines\na: 3\n\nC: body\n')))
  assert.deepEqual(headers, [
    { name: 'A', value: '1' },
    { name: 'B', value: 'two\n lines' },
    { name: 'a', value: '3' },
  ])
})

test('parameters in every form', () => {
  assert.equal(parameterOf('attachment; filename=a.txt', 'filename'), 'a.txt')
  assert.equal(parameterOf(String.raw`attachment; filename="a \"b\".txt"; size=1`, 'filename'), 'a "b".txt')
  assert.equal(parameterOf("attachment; filename*=iso-8859-1'en'%E9.txt", 'filename'), 'é.txt')
  assert.equal(parameterOf("attachment; filename=a; filename*=utf-8''b", 'filename'), 'b')
  assert.equal(parameterOf("attachment; filename*=no-such'x'a%zz", 'filename'), 'a%zz')
  assert.equal(parameterOf('attachment', 'filename'), undefined)
})

test('encoded words', () => {
  assert.equal(decodeWords('=?UTF-8?b?w6k=?= =?utf-8?q?_=C3=A9?= x'), 'é é x')
  assert.equal(decodeWords('=?utf-8?b?@@?='), '=?utf-8?b?@@?=')
  assert.equal(decodeWords('=?windows-1252?q?=80?='), '€')
})

test('nothing turns the writing round or hides', () => {
  assert.equal(visibleText('invoice\u202egpj.exe'), 'invoice\ufffdgpj.exe')
  assert.equal(visibleText('a\u0000b\u2066c\td\ne'), 'a\ufffdb\ufffdc\td\ne')
  assert.equal(visibleText('👩‍🚀 grün'), '👩‍🚀 grün')
})

test('whatever the octets are, parts lie within them and do not overlap', () => {
  const line = fc.oneof(
    fc.constantFrom('--b', '--b--', '--b ', '', 'Content-Type: multipart/mixed; boundary=b'),
    fc.constantFrom('Content-Type: image/png', 'Content-Disposition: attachment; filename=x', ' folded'),
    fc.constantFrom('Content-Transfer-Encoding: base64', '=?utf-8?q?=?=', 'text'),
    fc.string({ maxLength: 20 }),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), fc.constantFrom('\r\n', '\n'), (lines, end) => {
      const source = asSource(`Content-Type: multipart/mixed; boundary=b${end}${lines.join(end)}`)
      let at = 0
      for (const part of attachedParts(source)) {
        assert.ok(part.from >= at && part.to >= part.from && part.to <= source.length)
        decodePart(source, part)
        at = part.to
      }
      readHeaders(headerBlock(source))
    }),
  )
})

test('bombs of parts end soon', () => {
  const flat = `Content-Type: multipart/mixed; boundary=b\n\n${'--b\nContent-Type: image/png\n\n'.repeat(200_000)}`
  assert.equal(attachedParts(flat).length, 1000)
  const deep = Array.from(
    { length: 5000 },
    (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\n\n--b${at}\n`,
  )
  assert.ok(attachedParts(deep.join('')).length <= 1)
})
