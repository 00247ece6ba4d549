import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { dotStuff, dotStuffed } from './dot-stuffing.ts'
import { normaliseLineEnds } from './line-ends.ts'

function stuffed(content: string): string {
  return dotStuff(Buffer.from(content, 'latin1')).toString('latin1')
}

/** What a receiver reads: lines up to the one that is a single dot (RFC 5321 §4.5.2). */
function received(wire: string): { content: string; rest: string } {
  const end = wire.startsWith('.\r\n') ? 0 : wire.indexOf('\r\n.\r\n') + 2
  const content = wire.slice(0, end).replaceAll(/(^|\r\n)\./g, '$1')
  return { content, rest: wire.slice(end + 3) }
}

/** The same content, in pieces cut at the places given. */
async function stuffedInPieces(content: Buffer, cuts: readonly number[]): Promise<string> {
  const edges = [0, ...cuts.map((cut) => cut % (content.length + 1)).sort((a, b) => a - b), content.length]
  const pieces = edges.slice(1).map((edge, index) => content.subarray(edges[index], edge))
  const out = await Array.fromAsync(dotStuffed(Readable.from(pieces, { objectMode: true })))
  return Buffer.concat(out).toString('latin1')
}

test('a content full of dots is stuffed as any other', () => {
  for (const lines of [199, 200, 201, 5000]) {
    const stuffed = dotStuff(Buffer.from('.a\r\n'.repeat(lines)))
    assert.equal(stuffed.toString(), `${'..a\r\n'.repeat(lines)}.\r\n`)
  }
})

test('a line that starts with a dot gets another one (RFC 5321 §4.5.2)', () => {
  assert.equal(stuffed('.a\r\n..\r\nb.\r\n.\r\n'), '..a\r\n...\r\nb.\r\n..\r\n.\r\n')
})

test('content without a final CRLF gets one before the final dot', () => {
  assert.equal(stuffed('a'), 'a\r\n.\r\n')
  assert.equal(stuffed('a\r\n.'), 'a\r\n..\r\n.\r\n')
})

test('empty content is the final dot alone', () => {
  assert.equal(stuffed(''), '.\r\n')
})

test('any content of CRLF lines arrives as it was, and nothing follows its end', () => {
  const lines = fc
    .array(fc.constantFrom('\r\n', '.', 'a', '..', '\xff'), { maxLength: 60 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(lines, (content) => {
      const { content: arrived, rest } = received(stuffed(content))
      assert.equal(arrived, content === '' || content.endsWith('\r\n') ? content : `${content}\r\n`)
      assert.equal(rest, '')
    }),
    { numRuns: 1000 },
  )
})

const VECTORS = '../shared/suites/smtp/vectors.json'
test('SMTP smuggling: no end-of-data sequence inside a content reaches the wire', {
  skip: existsSync(VECTORS) ? false : `${VECTORS} is absent`,
}, () => {
  const { eod } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { eod: string[] }
  for (const sequence of eod) {
    const content = normaliseLineEnds(
      Buffer.from(`Subject: a\r\n\r\nbody${sequence}MAIL FROM:<b@c>\r\n`, 'latin1'),
    )
    const wire = dotStuff(content).toString('latin1')
    assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n/)
    assert.equal(wire.indexOf('\r\n.\r\n'), wire.length - 5)
  }
})

test('a content in pieces goes out as it would whole, wherever it is cut', async () => {
  const content = fc
    .array(fc.constantFrom('\r\n', '\r', '\n', '.', 'a', '..', '\0', '\xff'), { maxLength: 40 })
    .map((parts) => Buffer.from(parts.join(''), 'latin1'))
  await fc.assert(
    fc.asyncProperty(content, fc.array(fc.nat(), { maxLength: 8 }), async (content, cuts) => {
      assert.equal(await stuffedInPieces(content, cuts), dotStuff(content).toString('latin1'))
    }),
    { numRuns: 1000 },
  )
})

test('SMTP smuggling: no end-of-data sequence reaches the wire where it is cut between pieces', {
  skip: existsSync(VECTORS) ? false : `${VECTORS} is absent`,
}, async () => {
  const { eod } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { eod: string[] }
  for (const sequence of eod) {
    const text = `Subject: a\r\n\r\nbody${sequence}MAIL FROM:<b@c>\r\n`
    for (const content of [Buffer.from(text, 'latin1'), normaliseLineEnds(Buffer.from(text, 'latin1'))]) {
      const whole = Array.from({ length: content.length + 1 }, (_, at) => at)
      for (const cuts of [whole, ...whole.map((cut) => [cut])]) {
        const wire = await stuffedInPieces(content, cuts)
        // As it came, but never the end of data, not even for a peer that takes a bare LF for a line end.
        assert.equal(wire.search(/\n\.\r?\n/), wire.length - 4, JSON.stringify(wire))
      }
    }
  }
})

test('what breaks on the way is not ended', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('a\r\n')
    throw new Error('The disk is gone')
  }
  const out: Buffer[] = []
  await assert.rejects(async () => {
    for await (const chunk of dotStuffed(broken())) out.push(chunk)
  }, /disk/)
  assert.equal(Buffer.concat(out).toString(), 'a\r\n')
})
