import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { normaliseLineEnds } from '#protocol/line-ends.ts'
import { type LineScan, scanLines } from './scan-lines.ts'

function scan(content: string): LineScan {
  return scanLines(Buffer.from(content, 'latin1'))
}

test('what SMTP carries as it stands', () => {
  for (const content of [
    '',
    '\r\n',
    'x',
    `${'x'.repeat(998)}\r\n${'x'.repeat(998)}`,
    'Content-Transfer-Encoding: 8bit\r\ncontent-transfer-encoding:7BIT \r\nContent-Transfer-Encoding:  Base64\t\r\n',
    'Content-Type: a/b\r\nContent-Transfer-Encoding-X: binary\r\nX: Content-Transfer-Encoding: binary\r\n',
  ]) {
    assert.equal(scan(content), 'carried')
  }
})

test('what has to be looked at', () => {
  for (const content of [
    '\0',
    `${'x'.repeat(999)}\r\n`,
    `x\r\n${'x'.repeat(999)}`,
    'Content-Transfer-Encoding: binary\r\n',
    'x\r\ncontent-TRANSFER-encoding \t:\tBiNaRy',
    'Content-Transfer-Encoding:\r\n binary\r\n',
    'Content-Transfer-Encoding: (8bit) binary\r\n',
    'Content-Transfer-Encoding: 8bit, binary\r\n',
  ]) {
    assert.equal(scan(content), 'in-doubt')
  }
})

test('a bare CR or LF anywhere, and only that', () => {
  const content = fc.array(fc.constantFrom('\r', '\n', '\r\n', 'x', '\0'), { maxLength: 12 })
  fc.assert(
    fc.property(content, (pieces) => {
      const text = pieces.join('')
      assert.equal(scan(text) === 'bare-line-ends', /\r(?!\n)|(?<!\r)\n/.test(text), JSON.stringify(text))
      assert.notEqual(scanLines(normaliseLineEnds(Buffer.from(text))), 'bare-line-ends')
    }),
    { numRuns: 2000 },
  )
})
