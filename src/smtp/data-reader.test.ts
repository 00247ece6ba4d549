import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { type BareLineEnds, DataReader } from './data-reader.ts'
import { LongestLine } from './longest-line.ts'

interface Outcome {
  readonly content: string
  readonly bare: boolean
  readonly rest: string | undefined
}

/** Reads `wire` cut at the given places; as the reader writes into its chunks, each is a copy. */
function readIn(wire: string, cuts: readonly number[], bareLineEnds: BareLineEnds = 'refuse'): Outcome {
  const bytes = Buffer.from(wire, 'latin1')
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const reader = new DataReader(bareLineEnds)
  let content = ''
  for (const [index, edge] of edges.slice(1).entries()) {
    const read = reader.read(Buffer.from(bytes.subarray(edges[index], edge)))
    content += read.content.toString('latin1')
    if (read.rest === undefined) continue
    const rest = read.rest.toString('latin1') + bytes.subarray(edge).toString('latin1')
    return { content: reader.bare ? '' : content, bare: reader.bare, rest }
  }
  return { content: reader.bare ? '' : content, bare: reader.bare, rest: undefined }
}

/** RFC 5321 §4.1.1.4 and §4.5.2 said with regular expressions, over the whole wire at once. */
function specified(wire: string, bareLineEnds: BareLineEnds = 'refuse'): Outcome {
  const all = `\r\n${wire}`
  const end = all.indexOf('\r\n.\r\n')
  const body = end === -1 ? all.slice(2) : all.slice(2, end + 2)
  const bare = bareLineEnds === 'refuse' && /\r(?!\n)|(?<!\r)\n/.test(body)
  const content = bare ? '' : body.replaceAll(/(^|\r\n)\./g, '$1')
  return { content, bare, rest: end === -1 ? undefined : all.slice(end + 5) }
}

const cuts = fc.array(fc.nat(), { maxLength: 8 })
const piece = fc.constantFrom('\r\n', '.', '\r', '\n', '\0', 'a', '\r\n.', '.\r\n', '..', '\xff')
const line = fc
  .array(fc.constantFrom('.', 'a', '\0', '\xe9', ' '), { maxLength: 5 })
  .map((parts) => parts.join(''))

test('whatever the chunks, the content received equals the content sent', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.string({ unit: piece }), cuts, (lines, rest, cuts) => {
      const content = `${lines.join('\r\n')}\r\n`
      const wire = dotStuff(Buffer.from(content, 'latin1')).toString('latin1') + rest
      assert.deepEqual(readIn(wire, cuts), { content, bare: false, rest })
    }),
    { numRuns: 2000 },
  )
})

test('for any bytes in any chunks only CRLF.CRLF ends the data', () => {
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 30 }), cuts, (bytes, cuts) => {
      const wire = `${bytes}\r\n.\r\nrest`
      assert.deepEqual(readIn(wire, cuts), specified(wire))
    }),
    { numRuns: 5000 },
  )
})

test('where bare line ends are accepted: for any bytes in any chunks the same, and every byte comes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 30 }), cuts, (bytes, cuts) => {
      const wire = `${bytes}\r\n.\r\nrest`
      assert.deepEqual(readIn(wire, cuts, 'accept'), specified(wire, 'accept'))
      assert.deepEqual(readIn(bytes, [], 'accept').rest, specified(bytes, 'accept').rest)
    }),
    { numRuns: 5000 },
  )
})

test('where bare line ends are accepted: what was stuffed at CRLF alone comes out as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 30 }), cuts, (text, cuts) => {
      const content = `${text}\r\n`
      const wire = `${content.replaceAll(/(^|\r\n)\./g, '$1..')}.\r\nrest`
      assert.deepEqual(readIn(wire, cuts, 'accept'), { content, bare: false, rest: 'rest' })
    }),
    { numRuns: 5000 },
  )
})

test('an empty message is a lone dot', () => {
  assert.deepEqual(readIn('.\r\nNOOP\r\n', []), { content: '', bare: false, rest: 'NOOP\r\n' })
})

test('the longest line counts its CRLF, and dots before unstuffing do not count', () => {
  const reader = new DataReader('refuse')
  const lines = new LongestLine()
  for (const chunk of ['abc\r\n..de', 'fg\r', '\nx\r\n']) lines.add(reader.read(Buffer.from(chunk)).content)
  assert.equal(lines.length, '.defg\r\n'.length)
})

test('a chunk of dotted lines comes out as one chunk, in place', () => {
  const reader = new DataReader('refuse')
  const wire = Buffer.from('..\r\n'.repeat(500_000))
  const { content } = reader.read(wire)
  assert.equal(content.length, 1_500_000)
  assert.equal(content.buffer, wire.buffer)
})

const vectors = join(import.meta.dirname, '../../../shared/suites/smtp/vectors.json')
const absent = existsSync(vectors) ? false : 'the suites are not here'

test('smuggling vectors: none of them ends the data, however it is cut', { skip: absent }, () => {
  const { eod }: { eod: string[] } = JSON.parse(readFileSync(vectors, 'utf8'))
  assert.equal(eod.length, 11)
  for (const end of eod) {
    const wire = `Subject: x\r\n\r\nbody${end}MAIL FROM:<smuggled@x>\r\n`
    for (let cut = 0; cut <= wire.length; cut++) {
      assert.equal(readIn(wire, [cut]).rest, undefined, JSON.stringify(end))
      assert.equal(readIn(wire, [cut], 'accept').rest, undefined, JSON.stringify(end))
    }
  }
})
