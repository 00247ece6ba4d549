import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { BodyHasher, hashBody, hashBodyOf } from './dkim-body-hash.ts'

/** RFC 6376 §3.4.4, said as it is said there. */
function relaxed(body: Buffer): string {
  const lines = body.toString('latin1').split('\r\n')
  const canonical = lines.map((line) => line.replaceAll(/[ \t]+/g, ' ').replace(/ $/, '')).join('\r\n')
  const kept = canonical.replace(/(?:\r\n)+$/, '')
  return kept === '' ? '' : `${kept}\r\n`
}

function sha256(octets: string): string {
  return createHash('sha256').update(octets, 'latin1').digest('base64')
}

function cut(content: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const edges = [0, ...cuts.map((at) => at % (content.length + 1)).sort((a, b) => a - b), content.length]
  return edges.slice(1).map((edge, index) => content.subarray(edges[index], edge))
}

const body = fc
  .array(
    fc.constantFrom('a', 'word', ' ', '\t', '  ', '\r\n', '\r\n\r\n', ' \r\n', '\r', '\n', '.', '\xff'),
    {
      maxLength: 30,
    },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'))

test('any body, whole or in pieces cut anywhere, is hashed as RFC 6376 §3.4.4 says', async () => {
  await fc.assert(
    fc.asyncProperty(body, fc.array(fc.nat(), { maxLength: 6 }), fc.nat(20), async (body, cuts, header) => {
      const expected = sha256(relaxed(body))
      assert.equal(hashBody(body), expected)
      const content = Buffer.concat([Buffer.alloc(header, 'h'), body])
      const pieces = Readable.from(cut(content, cuts).map((piece) => new Uint8Array(piece)))
      assert.equal(await hashBodyOf(pieces, header), expected)
    }),
    { numRuns: 3000 },
  )
})

test('a body cut between any two octets has one hash', () => {
  const body = Buffer.from(' \t a  b \r\n\r\n \r\nc\r\r\nd \r e\t\r\n.\r\n\r\n \t', 'latin1')
  const expected = sha256(relaxed(body))
  for (let at = 0; at <= body.length; at++) {
    const hasher = new BodyHasher()
    for (const piece of [body.subarray(0, at), body.subarray(at)]) hasher.update(piece)
    assert.equal(hasher.digest(), expected, `${at}`)
  }
})

test('megabytes of empty lines count only where something follows', () => {
  const lines = Buffer.from('\r\n'.repeat(32_768))
  const hasher = new BodyHasher()
  hasher.update(Buffer.from('a\r\n'))
  for (let i = 0; i < 40; i++) hasher.update(lines)
  const ended = new BodyHasher()
  ended.update(Buffer.from('a\r\n'))
  for (let i = 0; i < 40; i++) ended.update(lines)
  ended.update(Buffer.from('b'))
  assert.equal(hasher.digest(), sha256('a\r\n'))
  assert.equal(ended.digest(), sha256(`a${'\r\n'.repeat(1 + 40 * 32_768)}b\r\n`))
})
