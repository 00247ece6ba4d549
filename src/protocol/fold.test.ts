import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { decodeWords } from './encoded-word.ts'
import { foldAddresses, foldField, foldText } from './fold.ts'
import { parseHeaderBlock, trimWhiteSpace, unfold } from './header-block.ts'

/** What a receiver gets: exactly one field, its value unfolded. */
function received(field: string): { name: string; value: string } {
  const block = parseHeaderBlock(Buffer.from(`${field}\r\n`, 'latin1'), { fields: 10, bytes: 100_000 })
  assert.ok(!('fault' in block), 'fault' in block ? block.detail : '')
  assert.equal(block.fields.length, 1)
  const [{ name, value } = { name: '', value: '' }] = block.fields
  return { name, value: trimWhiteSpace(unfold(value)) }
}

function lines(field: string): string[] {
  assert.ok(field.endsWith('\r\n'))
  return field.slice(0, -2).split('\r\n')
}

describe('folding', () => {
  test('a line of 78 characters stays, one of 79 is folded at white space', () => {
    const words = `X: ${'a'.repeat(40)} ${'b'.repeat(34)}`
    assert.equal(words.length, 78)
    assert.equal(foldField('X', words.slice(3)), `${words}\r\n`)
    assert.equal(foldField('X', `${words.slice(3)}b`), `X: ${'a'.repeat(40)}\r\n ${'b'.repeat(35)}\r\n`)
  })

  test('unfolding gives back every space and tab', () => {
    const value = `${'word  '.repeat(10)}\t${'more \t'.repeat(20)}end`
    assert.equal(received(foldField('X', value)).value, value)
  })

  test('a word is not broken for 78, nor for 998', () => {
    const word = 'a'.repeat(990)
    assert.deepEqual(lines(foldField('References', `<b> ${word} <c>`)), [
      'References: <b>',
      ` ${word}`,
      ' <c>',
    ])
  })

  test('a URI of more than 998 characters is cut by white space, which RFC 2369 §2 has receivers drop', () => {
    const uri = `<https://example.com/${'a'.repeat(2000)}>`
    const field = foldField('List-Unsubscribe', uri)
    assert.ok(lines(field).every((line) => line.length <= 998))
    assert.equal(received(field).value.replaceAll(' ', ''), uri)
  })

  test('free text of one endless word is carried by encoded-words', () => {
    const field = foldText('X-Trace', 'a'.repeat(2048))
    assert.ok(lines(field).every((line) => line.length <= 76))
    assert.equal(decodeWords(received(field).value), 'a'.repeat(2048))
  })

  test('text that looks like an encoded-word arrives as the text it is', () => {
    const text = '=?utf-8?Q?=0D=0ABcc:_x@example.com?='
    assert.equal(decodeWords(received(foldText('Subject', text)).value), text)
  })

  test('an endless run of white space shrinks rather than leave a blank line', () => {
    assert.equal(received(foldField('X', `a${' '.repeat(2000)}b`)).value, 'a b')
  })

  test('addresses stay UTF-8 (RFC 6532), folded at 78 characters', () => {
    const address = '用户@example.com'
    assert.equal(foldAddresses('To', address), `To: ${address}\r\n`)
    const list = Array.from({ length: 20 }, () => address).join(', ')
    const field = foldAddresses('To', list)
    assert.equal(field.slice('To: '.length).replaceAll('\r\n', ''), list)
    assert.ok(lines(field).length > 1 && lines(field).every((line) => line.length <= 78))
    assert.equal(foldAddresses('To', 'jäne@example.com\r\nBcc:\u0085x'), 'To: jäne@example.com Bcc: x\r\n')
  })

  const INJECTIONS = [
    '\r\nBcc: x',
    '\nBcc: x',
    '\rBcc: x',
    '\0',
    '\u0085Bcc: x',
    '\u2028Bcc: x',
    '\r\n\r\nbody',
    '\r\n Bcc: x',
  ]
  for (const injection of INJECTIONS) {
    test(`header injection by ${JSON.stringify(injection)} stays inside its value`, () => {
      for (const field of [foldField('X', `a${injection}`), foldText('X', `a${injection}ü`)]) {
        assert.match(field, /^X: [ -~]+(?:\r\n[ \t][ -~]+)*\r\n$/)
        assert.equal(received(field).name, 'X')
      }
    })
  }

  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...Array.from('ab \t\r\n\0é=?😀\u2028\ud800')), maxLength: 300 }),
  )

  test('any text is one field of ASCII lines of at most 78 where it can be folded', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z-]{1,40}$/), anyText, (name, text) => {
        for (const field of [foldField(name, text), foldText(name, text)]) {
          assert.equal(received(field).name, name)
          for (const line of lines(field)) {
            assert.match(line, /^[\t -~]*$/)
            assert.ok(line.length <= 78 || !/[^ \t][ \t]+[^ \t]/.test(line), line)
          }
          assert.ok(
            lines(field)
              .slice(1)
              .every((line) => /^[ \t]+[^ \t]/.test(line)),
          )
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('any text without controls arrives as it was', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 300 })
      .filter((text) => !/[\p{Cc}\u2028\u2029]/u.test(text))
    fc.assert(
      fc.property(text, (text) => {
        assert.equal(decodeWords(received(foldText('Subject', text)).value), trimWhiteSpace(text))
      }),
      { numRuns: 1000 },
    )
  })
})
