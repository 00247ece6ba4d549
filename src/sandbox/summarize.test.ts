import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { outlineMessage } from '#protocol/outline-message.ts'
import { readHeader } from '#protocol/read-header.ts'
import { htmlToText } from './html-to-text.ts'
import { summarizeMessage } from './summarize.ts'

const ENVELOPE = { from: 'sender@example.com', to: ['to@example.com'] }

function mail(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'))
}

function summarize(raw: Buffer, to: readonly string[] = ENVELOPE.to) {
  return summarizeMessage(raw, { ...ENVELOPE, to })
}

test('the header fields are decoded (RFC 2047) and listed as Mailpit does', () => {
  const { summary, messageId } = summarize(
    mail(
      'From: =?UTF-8?Q?J=C3=B6rg?= <joerg@example.com>',
      'To: "Doe, Jane" <jane@example.com>,',
      '\tto@example.com',
      'Cc: Team: a@example.com, b@example.com;',
      'Reply-To: reply@example.com',
      'Subject: =?utf-8?B?w4RwZmVs?= and',
      ' =?iso-8859-1?Q?Birnen=FC?=',
      'Message-ID: <abc@example.com>',
      '',
      'Hello',
    ),
  )
  assert.deepEqual(summary.From, { Name: 'Jörg', Address: 'joerg@example.com' })
  assert.deepEqual(summary.To, [
    { Name: 'Doe, Jane', Address: 'jane@example.com' },
    { Name: '', Address: 'to@example.com' },
  ])
  assert.deepEqual(summary.Cc, [
    { Name: '', Address: 'a@example.com' },
    { Name: '', Address: 'b@example.com' },
  ])
  assert.deepEqual(summary.ReplyTo, [{ Name: '', Address: 'reply@example.com' }])
  assert.equal(summary.Subject, 'Äpfel and Birnenü')
  assert.equal(messageId, 'abc@example.com')
})

test('Bcc: envelope recipients that no header names, besides those of a Bcc field', () => {
  const raw = mail('To: Visible@Example.com', 'Cc: cc@example.com', 'Bcc: told@example.com', '', '')
  const { summary } = summarize(raw, ['visible@example.com', 'hidden@example.com'])
  assert.deepEqual(
    summary.Bcc.map(({ Address }) => Address),
    ['told@example.com', 'hidden@example.com'],
  )
})

test('addresses beyond ASCII are listed as they are (RFC 6532), and found in the envelope however spelled', () => {
  const { summary, searchText } = summarize(
    mail(
      'From: =?UTF-8?Q?J=C3=A4ne?= <jäne@example.com>',
      'To: <"jö, e"@example.net>, 用户@例え.テスト',
      'Cc: <PE\u0301TER@example.net>',
      '',
      '',
    ),
    ['"jö, e"@example.net', '用户@xn--r8jz45g.xn--zckzah', 'péter@example.net', 'пётр@example.net'],
  )
  assert.deepEqual(summary.From, { Name: 'Jäne', Address: 'jäne@example.com' })
  assert.deepEqual(
    summary.To.map(({ Address }) => Address),
    ['"jö, e"@example.net', '用户@例え.テスト'],
  )
  assert.deepEqual(
    summary.Bcc.map(({ Address }) => Address),
    ['пётр@example.net'],
  )
  for (const word of ['jäne@example.com', 'пётр@example.net']) assert.ok(searchText.includes(word), word)
})

test('a From without an address is a name', () => {
  assert.deepEqual(summarize(mail('From: The Machine', '', '')).summary.From, {
    Name: 'The Machine',
    Address: '',
  })
  assert.deepEqual(summarize(mail('', '')).summary.From, { Name: '', Address: '' })
})

test('the snippet is the beginning of the first text part, decoded', () => {
  const text = 'Grüße '.repeat(100)
  const raw = mail(
    'Content-Type: multipart/mixed; boundary="outer"',
    '',
    'preamble',
    '--outer',
    'Content-Type: multipart/alternative; boundary=inner',
    '',
    '--inner',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(text).toString('base64'),
    '--inner',
    'Content-Type: text/html',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    '<style>p { color: red }</style><p>Only in HTML: caf=C3=A9, un<b>sub</b>=',
    'scribe</p>',
    '--inner--',
    '--outer',
    'Content-Type: application/pdf; name="report.pdf"',
    'Content-Disposition: attachment; filename="Report 17.pdf"',
    '',
    'not text',
    '--outer',
    'Content-Type: image/png',
    'Content-Disposition: inline',
    'Content-ID: <logo>',
    '',
    'x',
    '--outer--',
    'epilogue',
  )
  const { summary, searchText } = summarize(raw)
  assert.equal(summary.Snippet, `${text.slice(0, 200)}...`)
  assert.equal(summary.Attachments, 1)
  assert.equal(summary.Inline, 1)
  for (const word of ['only in html: café un', 'unsubscribe', 'report 17.pdf', 'sender@example.com'])
    assert.ok(searchText.includes(word), word)
  for (const word of ['color: red', 'preamble', 'epilogue', 'not text'])
    assert.ok(!searchText.includes(word), word)
})

test('a charset that lies or that nobody knows is answered with one that fits', () => {
  const snippet = (charset: string, body: Buffer) => {
    const head = `Content-Type: text/plain; charset=${charset}\r\n\r\n`
    return summarize(Buffer.concat([Buffer.from(head), body])).summary.Snippet
  }
  assert.equal(snippet('us-ascii', Buffer.from('Grüße')), 'Grüße')
  assert.equal(snippet('utf-8', Buffer.from('Grüße', 'latin1')), 'Grüße')
  assert.equal(snippet('iso-8859-1', Buffer.from('Grüße', 'latin1')), 'Grüße')
  assert.equal(snippet('x-no-such-thing', Buffer.from('Grüße')), 'Grüße')
  assert.equal(snippet('"utf-8', Buffer.from('Grüße')), 'Grüße')
})

test('header octets that are not UTF-8 are read as windows-1252', () => {
  const raw = Buffer.from('Subject: Gr\xfc\xdfe\r\n\r\n', 'latin1')
  assert.equal(summarize(raw).summary.Subject, 'Grüße')
})

test('the header ends at the blank line, wherever line ends are CRLF or LF', () => {
  for (const end of ['\r\n', '\n']) {
    const raw = Buffer.from(`A: 1${end} folded${end}B : 2${end}no field${end}C:3${end}${end}D: body`)
    const { fields, bodyStart } = readHeader(raw, 0, { fields: 10, bytes: 1000 })
    assert.deepEqual(
      fields.map(({ name, value }) => [name, value]),
      [
        ['A', '1 folded'],
        ['B', '2'],
        ['C', '3'],
      ],
    )
    assert.equal(raw.toString('latin1', bodyStart), 'D: body')
  }
})

test('a header past its limits is cut, and the body is found all the same', () => {
  const raw = mail(...Array.from({ length: 1000 }, (_, i) => `X-${i}: ${i}`), '', 'the body')
  // Each field has 8 octets or more.
  const cuts = [
    { limits: { fields: 10, bytes: 1_000_000 }, left: 10 },
    { limits: { fields: 5000, bytes: 100 }, left: 12 },
  ]
  for (const { limits, left } of cuts) {
    const { fields, bodyStart } = readHeader(raw, 0, limits)
    assert.equal(fields.length, left)
    assert.equal(raw.toString('latin1', bodyStart), 'the body')
  }
})

test('an unclosed multipart, a missing blank line and a boundary inside another are taken as they lie', () => {
  const { parts } = outlineMessage(
    mail(
      'Content-Type: multipart/mixed; boundary=a',
      '',
      '--a',
      'Content-Type: text/plain',
      '--a',
      'Content-Type: multipart/mixed; boundary=aa',
      '',
      '--aa',
      '',
      'one',
      '--a   ',
      'Content-Type: text/html',
      '',
      'two',
    ),
  )
  assert.deepEqual(
    parts.map(({ type }) => type),
    ['text/plain', 'text/plain', 'text/html'],
  )
})

test('HTML becomes words, in one pass', () => {
  assert.equal(
    htmlToText('<p>a &lt; b &amp;&#33;&#x21; 1 < 2</p>c<br/>d<!-- no -->e<script>x()</script>'),
    'a < b &!! 1 < 2 c d e',
  )
  assert.equal(htmlToText('text <unclosed'), 'text')
  assert.equal(htmlToText('a<!-- unclosed'), 'a')
  assert.equal(htmlToText('<'.repeat(5)), '<<<<<')
})

/** Each within the size that a session accepts; all are answered, none by failing. */
const HOSTILE: Record<string, () => Buffer> = {
  'empty message': () => Buffer.alloc(0),
  'one line end': () => Buffer.from('\r\n'),
  'no headers at all': () => mail('just text', 'and more'),
  'NUL everywhere': () =>
    Buffer.from('From: a\0b@example.com\r\nSubject: \0\r\nMessage-ID: <\0@x>\r\n\r\n\0\0'),
  'header named __proto__': () => mail('__proto__: x', 'constructor: y', 'Subject: s', '', ''),
  'lone surrogate': () =>
    mail('Subject: =?utf-16le?B?ANg=?=', 'From: =?utf-16le?B?ANg=?= <a@example.com>', '', ''),
  '400,000 empty parts': () =>
    Buffer.from(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\n\n'.repeat(400_000)}`),
  '100,000 headers': () => Buffer.from(`${'X-A: b\r\n'.repeat(100_000)}\r\nbody`),
  'a header of 10 MB': () => Buffer.from(`Subject: ${'a'.repeat(10_000_000)}\r\n\r\nbody`),
  '50,000 mailboxes': () => Buffer.from(`From: ${'a@example.com, '.repeat(50_000)}\r\n\r\n`),
  'nested groups': () => Buffer.from(`To: ${'a:'.repeat(500_000)}\r\n\r\n`),
  'nested multiparts': () =>
    Buffer.from(
      Array.from(
        { length: 5000 },
        (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`,
      ).join(''),
    ),
  '4,000 nested messages': () => Buffer.from('Content-Type: message/rfc822\n\n'.repeat(4000)),
  'lines that could be delimiters': () =>
    Buffer.from(`Content-Type: multipart/mixed; boundary=b\n\n${'--c\n'.repeat(2_000_000)}`),
  'quoted-printable without end': () =>
    Buffer.from(`Content-Transfer-Encoding: quoted-printable\n\n${'=3D'.repeat(3_000_000)}`),
  'angle brackets': () => Buffer.from(`Content-Type: text/html\n\n${'<'.repeat(3_000_000)}`),
  'open tags': () => Buffer.from(`Content-Type: text/html\n\n${'<a '.repeat(1_000_000)}`),
  'a parameter without end': () =>
    Buffer.from(`Content-Type: multipart/mixed; ${' boundary="\\'.repeat(100_000)}\n\n`),
  'RFC 2231 continuations': () =>
    Buffer.from(
      `Content-Type: text/plain;${Array.from({ length: 50_000 }, (_, i) => ` name*${i}*=a;\n`).join('')}\n\nx`,
    ),
  'control characters in every name': () =>
    Buffer.from(
      ['From', 'To', 'Cc', 'Bcc', 'Reply-To']
        .map((name) => `${name}: ${`"${'\x01'.repeat(200)}" <a@b>, `.repeat(100)}\n`)
        .join(''),
    ),
  'empty encoded words': () => Buffer.from(`Subject: ${'=?utf-8?q??= '.repeat(100_000)}\n\n`),
}

for (const [name, build] of Object.entries(HOSTILE))
  test(`hostile mail gets a summary of bounded size: ${name}`, () => {
    const { summary, messageId, searchText } = summarize(build())
    assert.ok(JSON.stringify(summary).length < 25_000)
    assert.ok(searchText.length <= 8 * 1024)
    assert.ok(!searchText.includes('\0') && searchText.isWellFormed())
    assert.ok(!messageId.includes('\0') && messageId.isWellFormed())
  })

test('50 mailboxes of a field and 100 recipients are kept, and fewer where they are long', () => {
  const people = (count: number, local: string) =>
    Array.from({ length: count }, (_, i) => `${local}${i}@example.com`)
  const usual = summarize(mail(`To: ${people(60, 'someone').join(', ')}`, '', ''), people(110, 'someone'))
  assert.equal(usual.summary.To.length, 50)
  assert.deepEqual(usual.recipients, people(100, 'someone'))
  const long = people(100, 'x'.repeat(230))
  const fields = ['To', 'Cc', 'Bcc', 'Reply-To'].map((name) => `${name}: ${long.join(', ')}`)
  const hostile = summarize(mail(...fields, 'Subject: wanted', '', 'needle'), long)
  assert.equal(hostile.summary.To[0]?.Address, long[0])
  assert.ok(JSON.stringify([hostile.summary, hostile.recipients]).length < 25_000)
  for (const word of ['wanted', 'needle']) assert.ok(hostile.searchText.includes(word), word)
})

test('any octets at all get a summary', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '--b',
      '--b--',
      '',
      'Content-Type: multipart/mixed; boundary=b',
      'Content-Type: text/html',
    ),
    fc.constantFrom(
      'Content-Transfer-Encoding: base64',
      'Subject: =?utf-8?q?=FF?=',
      ' folded',
      'From: <<>>"',
      'To: (',
    ),
  )
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\r\n', '\n'), (lines, end) => {
      const raw = Buffer.from(lines.join(end))
      const { parts } = outlineMessage(raw)
      for (const { start, end: stop } of parts) assert.ok(start <= stop && stop <= raw.length)
      assert.ok(summarize(raw).searchText.isWellFormed())
    }),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (octets) => void summarize(Buffer.from(octets))))
})
