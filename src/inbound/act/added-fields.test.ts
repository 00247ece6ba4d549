import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { addedFields } from './added-fields.ts'

test('X- headers as people write them; others are removed', () => {
  const headers = [
    ['x-spam-score', '0.1'],
    ['subject', 'no'],
    ['x-note', 'Grüße'],
    ['x.y', 'no'],
    ['x-bad.name', 'no'],
    ['x-empty', ' '],
  ] as const
  assert.equal(addedFields(headers), 'X-Spam-Score: 0.1\r\nX-Note: =?UTF-8?B?R3LDvMOfZQ==?=\r\n')
})

test('the limits of headers hold', () => {
  const kindOf = (...headers: [string, string][]) => {
    const fields = addedFields(headers)
    return typeof fields === 'string' ? fields.length : fields.kind
  }
  assert.equal(kindOf(['x-a', 'v'.repeat(2049)]), 'header-value-too-long')
  assert.equal(kindOf([`x-${'a'.repeat(99)}`, 'v']), 'header-name-invalid')
  assert.equal(
    kindOf(...Array.from({ length: 9 }, (_, n): [string, string] => [`x-${n}`, 'v'.repeat(2000)])),
    'headers-too-large',
  )
})

test('any headers: fields of these names alone, and nothing that ends one early', () => {
  const name = fc.oneof(fc.stringMatching(/^x-[!-~]{1,20}$/), fc.string())
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'binary' })), { maxLength: 8 }), (headers) => {
      const fields = addedFields(headers)
      if (typeof fields !== 'string') return
      const block = parseHeaderBlock(Buffer.from(`${fields}\r\n`), { fields: 100, bytes: 100_000 })
      assert.ok('fields' in block, JSON.stringify(block))
      assert.equal(block.bodyStart, fields.length + 2)
      const given = new Set(headers.map(([one]) => one.toLowerCase()))
      for (const field of block.fields) assert.ok(given.has(field.name.toLowerCase()), field.name)
      assert.match(fields, /^[ -~\r\n\t]*$/)
    }),
  )
})
