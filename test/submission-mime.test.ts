import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { type Arrived, checkSubmitted, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { openSubmission, submitRaw } from '#test/submit-raw.ts'

/** A body over submission: it arrives as it was sent, octet for octet, or, where SMTP cannot carry it so, encoded and
 *  with the same decoded content. */
const MIB = 1_048_576

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())
beforeEach(() => emptyInbox(instance))

/** Sends a message of these header fields and this body, and takes it out of the inbox. */
async function carried(fields: readonly string[], body: Buffer, parameters?: string): Promise<Arrived> {
  const content = Buffer.concat([Buffer.from(`${header(fields)}\r\n`), body])
  const reply = await submitRaw(instance.dev, {
    from: 'app@yourdomain.com',
    to: 'reader@example.com',
    content,
    ...(parameters !== undefined && { parameters }),
  })
  assert.match(reply, /^250 2\.0\.0 Ok </)
  const copy = await theOneArrived(instance)
  await checkSubmitted(instance, copy, reply)
  return copy
}

function header(fields: readonly string[]): string {
  const all = ['From: app@yourdomain.com', 'To: reader@example.com', 'Subject: A body', ...fields]
  return all.map((field) => `${field}\r\n`).join('')
}

const crlf = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))
const multipart = (boundary: string) => `Content-Type: multipart/mixed; boundary="${boundary}"`

const NESTED = Array.from({ length: 10 }, (_, depth) => depth).reduceRight(
  (inner, depth) => `${multipart(`b${depth + 1}`)}\n\n--b${depth + 1}\n${inner}\n--b${depth + 1}--\n`,
  'Content-Type: text/plain\n\nat the bottom\n',
)

/** Bodies that SMTP can carry as they are. */
const INTACT: Record<string, { fields?: string[]; body: Buffer; parameters?: string }> = {
  'no text part, one attachment': {
    fields: [multipart('b')],
    body: crlf(
      `--b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n${randomBytes(57).toString('base64')}\n--b--\n`,
    ),
  },
  'an image that is the whole message': {
    fields: ['Content-Type: image/png', 'Content-Transfer-Encoding: base64'],
    body: crlf(`${randomBytes(57).toString('base64')}\n`),
  },
  'multiparts, ten deep': { fields: [multipart('b0')], body: crlf(`--b0\n${NESTED}\n--b0--\n`) },
  '8-bit UTF-8': {
    fields: ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
    body: crlf('Grüße, 你好, 🦊\n'),
    parameters: 'BODY=8BITMIME',
  },
  '8-bit Latin-1': {
    fields: ['Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit'],
    body: Buffer.from('Gr\xfc\xdfe, \xa9\xff\r\n', 'latin1'),
  },
  '8-bit octets in no charset that anybody named': { body: Buffer.from([...range(128, 256), 13, 10]) },
  'an empty body': { body: Buffer.alloc(0) },
  'blank lines alone': { body: crlf('\n\n\n') },
  'dots at line starts': { body: crlf('.\n..\n...\n.x\n..x\n\n.\nQUIT\n.\n') },
  'trailing white space and blank lines': { body: crlf('a \t\n\t\n b\n\n\n') },
  'lines of 998 octets': { body: crlf(`${'x'.repeat(998)}\n.${'y'.repeat(997)}\n`) },
  'a multipart without its closing line': {
    fields: [multipart('b')],
    body: crlf('preamble\n--b\n\nnever closed\n'),
  },
}

for (const [name, { fields = [], body, parameters }] of Object.entries(INTACT)) {
  test(`octet for octet: ${name}`, async () => {
    const copy = await carried(fields, body, parameters)
    assert.deepEqual(copy.body.toString('latin1'), body.toString('latin1'))
    for (const field of fields)
      assert.ok(copy.header.includes(`\r\n${field}\r\n`), `${field} in ${copy.header}`)
  })
}

test('a text without a last line end gets one', async () => {
  const copy = await carried([], Buffer.from('no end'))
  assert.equal(copy.body.toString(), 'no end\r\n')
})

test('a header without the blank line behind it is a message without a body', async () => {
  const content = header([])
  const reply = await submitRaw(instance.dev, {
    from: 'app@yourdomain.com',
    to: 'reader@example.com',
    content,
  })
  const copy = await theOneArrived(instance)
  await checkSubmitted(instance, copy, reply)
  assert.equal(copy.body.length, 0)
})

test('a binary part of all octets', async () => {
  const octets = Buffer.from([...range(0, 256).filter((octet) => octet !== 10 && octet !== 13), 13, 10])
  const content = Buffer.concat([octets, octets, randomWithoutBareLineEnds(5000), octets])
  const copy = await carried([multipart('b')], around(content, 'binary'))
  assert.ok(decodedPart(copy, 'b').equals(content), 'the decoded part')
})

test('a binary part of short lines, without NUL', async () => {
  const line = Buffer.from([...range(1, 256).filter((octet) => octet !== 10 && octet !== 13), 13, 10])
  const content = Buffer.concat(Array.from({ length: 40 }, () => line))
  const copy = await carried([multipart('b')], around(content, 'binary'))
  assert.ok(decodedPart(copy, 'b').equals(content), 'the decoded part')
})

test('an HTML message in lines of 5,000 octets', async () => {
  const html = `<p>${'Grüße '.repeat(1000)}</p>\r\n.<p>${'x'.repeat(5000)}</p>\r\n`
  const copy = await carried(['Content-Type: text/html; charset=utf-8'], Buffer.from(html))
  assert.ok(longestLine(copy.raw) <= 998)
  assert.ok(decodedHtml(copy).trimEnd() === html.trimEnd(), 'the decoded HTML')
})

test('an HTML part in lines of 5,000 octets, beside a text and an attachment', async () => {
  const html = `<p>${'Grüße '.repeat(1000)}</p>\r\n.<p>${'x'.repeat(5000)}</p>`
  const bytes = randomBytes(57)
  const body = `--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

Grüße
--a
Content-Type: text/html; charset=utf-8

${html}
--a--
--m
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

${bytes.toString('base64')}
--m--
`
  const copy = await carried([multipart('m')], Buffer.from(body.replaceAll(/\r?\n/g, '\r\n')))
  assert.ok(longestLine(copy.raw) <= 998)
  assert.equal(copy.mail.text?.trimEnd(), 'Grüße')
  assert.ok(decodedHtml(copy).trimEnd() === html.trimEnd(), 'the decoded HTML')
  const [attachment] = copy.mail.attachments
  assert.ok(attachment?.content instanceof ArrayBuffer)
  assert.ok(Buffer.from(attachment.content).equals(bytes))
})

test('5 MiB are taken, one octet more is not: announced, or while it streams', async () => {
  const mail = { from: 'app@yourdomain.com', to: 'reader@example.com' }
  const largest = messageOf(5 * MIB)
  const tooLarge = messageOf(5 * MIB + 1)
  using session = await openSubmission(instance.dev)
  const refused = /^552 5\.3\.4 /
  assert.match(await session.submit({ ...mail, content: tooLarge }), refused)
  assert.match(
    await session.submit({ ...mail, content: tooLarge, parameters: `SIZE=${tooLarge.length}` }),
    refused,
  )
  const reply = await session.submit({ ...mail, content: largest, parameters: `SIZE=${largest.length}` })
  assert.match(reply, /^250 2\.0\.0 Ok </)
  const copy = await theOneArrived(instance)
  await checkSubmitted(instance, copy, reply)
  assert.ok(copy.body.equals(largest.subarray(largest.indexOf('\r\n\r\n') + 4)), 'the body, octet for octet')
})

/** A message of that many octets, its last CRLF among them (RFC 1870 §3). */
function messageOf(size: number): Buffer {
  const start = Buffer.from(`${header([])}\r\n`)
  const line = Buffer.from(`${'.abcdefghi'.repeat(7)}\r\n`)
  const message = Buffer.alloc(size, line)
  start.copy(message)
  return Buffer.concat([message.subarray(0, size - 4), Buffer.from('xx\r\n')])
}

/** A multipart with boundary `b` whose one part is `content`. */
function around(content: Buffer, encoding: string): Buffer {
  const head = `--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: ${encoding}\n\n`
  return Buffer.concat([crlf(head), content, crlf('\n--b--\n')])
}

/** The first part, taken apart by hand: the parsers at hand change line ends in binary parts. */
function decodedPart({ body }: Arrived, boundary: string): Buffer {
  const start = body.indexOf('\r\n\r\n') + 4
  const end = body.indexOf(`\r\n--${boundary}`, start)
  const [, encoding = ''] =
    /^content-transfer-encoding: *(\S+)/im.exec(body.toString('latin1', 0, start)) ?? []
  const content = body.subarray(start, end)
  if (encoding.toLowerCase() === 'base64') return Buffer.from(content.toString('latin1'), 'base64')
  assert.match(encoding, /^(?:binary|8bit)$/i)
  return content
}

/** The parser gives line ends as CRLF or as LF, by the encoding. */
function decodedHtml({ mail }: Arrived): string {
  return (mail.html ?? '').replaceAll(/\r?\n/g, '\r\n')
}

function randomWithoutBareLineEnds(size: number): Buffer {
  return randomBytes(size).map((octet) => (octet === 10 || octet === 13 ? 0 : octet)) as Buffer
}

function longestLine(raw: Buffer): number {
  return Math.max(
    ...raw
      .toString('latin1')
      .split('\r\n')
      .map(({ length }) => length),
  )
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
