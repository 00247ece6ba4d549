import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { decodeWords, encodeWords } from './encoded-word.ts'

describe('encoded-words', () => {
  test('Q for mostly Latin text, B for other scripts', () => {
    assert.equal(encodeWords('Grüße aus Köln', 0), '=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=')
    assert.equal(encodeWords('こんにちは', 0), '=?UTF-8?B?44GT44KT44Gr44Gh44Gv?=')
  })

  test('each has 75 characters at most and whole characters, the first fits behind its name', () => {
    const words = encodeWords('👩‍👩‍👧‍👦 é '.repeat(60), 'Subject: '.length).split(' ')
    assert.ok((words[0]?.length ?? 0) <= 76 - 'Subject: '.length)
    for (const word of words) {
      assert.ok(word.length <= 75)
      assert.doesNotMatch(decodeWords(word), /\ufffd/)
    }
  })

  const DECODED: readonly (readonly [value: string, text: string])[] = [
    // RFC 2047 §8.
    ['=?ISO-8859-1?Q?a?=', 'a'],
    ['=?ISO-8859-1?Q?a?= b', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a_b?=', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=', 'a b'],
    ['=?US-ASCII?Q?Keith_Moore?= x', 'Keith Moore x'],
    ['=?iso-8859-1?q?Andr=E9?=', 'André'],
    // RFC 2231 §5.
    ['=?utf-8*en?B?w7w=?=', 'ü'],
    // A character split over two words, as some senders do.
    ['=?UTF-8?Q?=C3?= =?UTF-8?Q?=BC?=', 'ü'],
    ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
    ['=?x-nobody-knows?Q?a?= b', '=?x-nobody-knows?Q?a?= b'],
    ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
    ['=?utf-8?Q?a b?=', '=?utf-8?Q?a b?='],
    ['no words', 'no words'],
  ]
  for (const [value, text] of DECODED)
    test(`${value} reads as ${text}`, () => assert.equal(decodeWords(value), text))

  test('any text comes back, in ASCII that no header breaks on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(100), (text, used) => {
        const encoded = encodeWords(text, used)
        assert.match(encoded, /^[!-~]+(?: [!-~]+)*$/)
        assert.equal(decodeWords(encoded), text)
      }),
      { numRuns: 1000 },
    )
  })

  test('a lone surrogate becomes U+FFFD', () => {
    assert.equal(decodeWords(encodeWords('a\ud800b', 0)), 'a\ufffdb')
  })

  test('any value decodes without throwing', () => {
    const near = fc.string({
      unit: fc.constantFrom('=?', '?=', '?', 'utf-8', 'Q', 'B', '=', 'C3', '_', ' ', 'é', '*'),
    })
    fc.assert(
      fc.property(near, (value) => assert.equal(typeof decodeWords(value), 'string')),
      { numRuns: 2000 },
    )
  })
})
