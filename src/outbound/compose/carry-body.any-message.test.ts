import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import PostalMime, { type Email } from 'postal-mime'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { PLATFORM } from '#test/varied-drafts.ts'
import { composeRaw, readRawMessage } from './compose-raw.ts'

/** A message as a tree, so that what its leaves hold is known without parsing it. */
type Node =
  | { readonly kind: 'leaf'; readonly type: string; readonly encoding: string; readonly content: Buffer }
  | {
      readonly kind: 'multipart'
      readonly subtype: string
      readonly encoding: string
      readonly parts: readonly Node[]
      readonly preamble: string
    }
  | { readonly kind: 'message'; readonly encoding: string; readonly inner: Node }

interface Held {
  readonly type: string
  readonly name: string
  readonly content: Buffer
  /** Its line ends are line ends, so that an LF is as good as a CRLF, or content. */
  readonly isText: boolean
  readonly encoding: string
}

const octet = fc.integer({ min: 0, max: 255 })
const line = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    '--',
    '-- ',
    '--x',
    'From x',
    'a=b',
    '=3D',
    'trailing \t',
    '\xe4\xf6',
    '\x0b\f',
  ),
  fc.integer({ min: 990, max: 1100 }).map((length) => '-y= '.repeat(length / 4)),
  fc.string({ unit: fc.constantFrom('a', ' ', '-', '=', '\xc3', '\xa4'), maxLength: 100 }),
)
const text = fc.array(line, { maxLength: 6 }).map((lines) => Buffer.from(lines.join('\r\n'), 'latin1'))
const octets = fc
  .array(fc.oneof({ weight: 3, arbitrary: octet }, fc.constantFrom(0, 10, 13)), { maxLength: 1500 })
  // A CR before the LF of a delimiter line would be part of its line end.
  .map((all) => Buffer.from(all.at(-1) === 13 ? [...all, 1] : all))
const label = fc.constantFrom('', '8bit', '7bit', 'binary')

const leaf: fc.Arbitrary<Node> = fc.oneof(
  fc.record({
    kind: fc.constant('leaf' as const),
    type: fc.constantFrom('text/plain', 'text/html', 'text/csv'),
    encoding: fc.oneof(label, fc.constantFrom('base64', 'quoted-printable')),
    content: text,
  }),
  fc.record({
    kind: fc.constant('leaf' as const),
    type: fc.constantFrom('image/png', 'application/octet-stream', 'application/pdf'),
    encoding: fc.constantFrom('binary', 'BINARY', 'base64', 'quoted-printable'),
    content: octets,
  }),
)
const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constant('multipart' as const),
      subtype: fc.constantFrom('mixed', 'related', 'alternative', 'x-unknown'),
      encoding: label,
      parts: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
      preamble: fc.constantFrom('', 'This is MIME.\r\n', '--\r\n--b\r\n'),
    }),
    fc.record({ kind: fc.constant('message' as const), encoding: label, inner: tie('node') }),
  ),
}))

/** The node as octets, all its own lines ended by `eol`, and what its leaves hold. */
function write(node: Node, eol: string, held: Held[], path = 'p'): { fields: string; body: Buffer } {
  const label = node.encoding === '' ? '' : `Content-Transfer-Encoding: ${node.encoding}${eol}`
  if (node.kind === 'multipart') {
    const boundary = `=_${path}`
    const parts = node.parts.map((part, i) => write(part, eol, held, `${path}.${i}`))
    const chunks = parts.flatMap(({ fields, body }) => [
      Buffer.from(`--${boundary}${eol}${fields}${eol}`, 'latin1'),
      body,
      Buffer.from(eol),
    ])
    const fields = `Content-Type: multipart/${node.subtype};${eol}\tboundary="${boundary}"${eol}${label}`
    const preamble = Buffer.from(node.preamble.replaceAll('\r\n', eol))
    return { fields, body: Buffer.concat([preamble, ...chunks, Buffer.from(`--${boundary}--${eol}`)]) }
  }
  if (node.kind === 'message') {
    const { fields, body } = write(node.inner, eol, held, `${path}m`)
    const header = `Subject: within ${path}${eol}MIME-Version: 1.0${eol}${fields}${eol}`
    return {
      fields: `Content-Type: message/rfc822${eol}${label}`,
      body: Buffer.concat([Buffer.from(header), body]),
    }
  }
  const name = `${path}.bin`
  held.push({
    type: node.type,
    name,
    content: node.content,
    isText: node.type.startsWith('text/'),
    encoding: node.encoding,
  })
  const fields =
    `Content-Type: ${node.type}; charset=iso-8859-1${eol}` +
    `Content-Disposition: attachment; filename="${name}"${eol}${label}`
  return { fields, body: encode(node) }
}

/** Encoded content as one line, which is what may have to be wrapped. */
function encode({ encoding, content }: Node & { kind: 'leaf' }): Buffer {
  if (encoding === 'base64') return Buffer.from(content.toString('base64'))
  if (encoding !== 'quoted-printable') return content
  return Buffer.from(content.toString('hex').toUpperCase().replaceAll(/../g, '=$&'))
}

function leavesOf({ attachments }: Email) {
  return attachments.map(({ mimeType, filename, content }) => ({
    type: mimeType,
    name: filename ?? '',
    content: typeof content === 'string' ? Buffer.from(content) : Buffer.from(content as ArrayBuffer),
  }))
}

function withLf(content: Buffer): string {
  return content.toString('latin1').replaceAll(/\r\n?/g, '\n')
}

test('any message of nested parts arrives with every leaf as it was, in lines that SMTP carries', async () => {
  await fc.assert(
    fc.asyncProperty(node, fc.constantFrom('\r\n', '\n'), async (node, eol) => {
      const held: Held[] = []
      const { fields, body } = write(node, eol, held)
      const raw = Buffer.concat([Buffer.from(`From: a@example.com${eol}${fields}${eol}`), body])
      const message = readRawMessage(raw)
      assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
      const content = composeRaw(message, PLATFORM)

      const lines = content.toString('latin1').split('\r\n')
      assert.ok(lines.every((line) => line.length <= 998 && !/[\0\r\n]/.test(line)))
      assert.doesNotMatch(content.toString('latin1'), /^content-transfer-encoding:\s*binary/im)

      const found = leavesOf(await PostalMime.parse(content))
      assert.deepEqual(
        found.map(({ type, name }) => [type, name]),
        held.map(({ type, name }) => [type, name]),
      )
      for (const [i, { content, isText, encoding }] of held.entries()) {
        let arrived = found[i]?.content ?? Buffer.alloc(0)
        // The line end before a delimiter counts as content to the parser here, or to SMTP at the end of the message.
        if (encoding === 'quoted-printable' && arrived.length > content.length)
          arrived = arrived.subarray(0, -1)
        if (isText) assert.equal(withLf(arrived).replace(/\n+$/, ''), withLf(content).replace(/\n+$/, ''))
        else assert.deepEqual(arrived, content)
      }

      const again = readRawMessage(content)
      assert.ok(!('kind' in again))
      const block = parseHeaderBlock(content, { fields: 1000, bytes: content.length })
      assert.ok(!('fault' in block))
      assert.deepEqual(again.body, content.subarray(block.bodyStart))
    }),
    { numRuns: 300 },
  )
})
