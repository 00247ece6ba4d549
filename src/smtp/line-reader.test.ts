import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { LineReader } from './line-reader.ts'

const LIMIT = 12

function readIn(wire: string, cuts: readonly number[]): string[] {
  const bytes = Buffer.from(wire, 'latin1')
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const reader = new LineReader(LIMIT)
  const lines: string[] = []
  for (const [index, edge] of edges.slice(1).entries()) {
    reader.push(bytes.subarray(edges[index], edge))
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      lines.push(typeof line === 'string' ? line : `(${Object.values(line).join(' ')})`)
      if (typeof line !== 'string' && line.fault !== 'too-long') return lines
    }
  }
  return lines
}

const cuts = fc.array(fc.nat(), { maxLength: 8 })
const piece = fc.constantFrom('\r\n', '\r', '\n', '\0', 'a', 'MAIL', '\xff')

test('lines end in CRLF and in nothing else (RFC 5321 §2.3.8)', () => {
  assert.deepEqual(readIn('NOOP\r\n\r\nQUIT\r\nrest', []), ['NOOP', '', 'QUIT'])
  assert.deepEqual(readIn('NOOP\nQUIT\r\n', []), ['(bare-line-end)'])
  assert.deepEqual(readIn('NOOP\rQUIT\r\n', []), ['(bare-line-end)'])
  assert.deepEqual(readIn('NOOP\r\r\n', []), ['(bare-line-end)'])
  assert.deepEqual(readIn('\n', []), ['(bare-line-end)'])
})

test('a line of the limit is read, a longer one swallowed, and the next one read', () => {
  assert.deepEqual(readIn('0123456789\r\n0123456789a\r\nNOOP\r\n', []), [
    '0123456789',
    '(too-long 01234)',
    'NOOP',
  ])
})

test('a line that never ends is given up', () => {
  assert.deepEqual(readIn('a'.repeat(10_000), [100, 200]), ['(endless)'])
})

test('any bytes give the same lines in any chunks', () => {
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 200 }), cuts, (wire, cuts) => {
      const everyByte = Array.from({ length: Buffer.byteLength(wire, 'latin1') }, (_, at) => at)
      assert.deepEqual(readIn(wire, cuts), readIn(wire, []))
      assert.deepEqual(readIn(wire, everyByte), readIn(wire, []))
    }),
    { numRuns: 2000 },
  )
})

test('what follows a line can be taken by another reader', () => {
  const reader = new LineReader(LIMIT)
  reader.push(Buffer.from('DATA\r\ncontent'))
  assert.equal(reader.next(), 'DATA')
  assert.equal(reader.between, false)
  assert.equal(reader.take().toString(), 'content')
  assert.equal(reader.between, true)
})
