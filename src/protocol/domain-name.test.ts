import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { parseDomainName } from './domain-name.ts'

function outcome(text: string): string {
  const result = parseDomainName(text)
  return typeof result === 'string' ? result : result.fault
}

describe('domain name', () => {
  const CASES: readonly (readonly [text: string, outcome: string])[] = [
    ['example.com', 'example.com'],
    ['EXAMPLE.COM', 'example.com'],
    ['a-b.example', 'a-b.example'],
    // Hyphens in the third and fourth place are common below a registered name.
    ['r4---sn-x.example', 'r4---sn-x.example'],
    ['Bücher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['straße.example', 'xn--strae-oqa.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['１２３.example', '123.example'],
    ['', 'empty'],
    ['com', 'single-label'],
    ['.example.com', 'empty-label'],
    ['example..com', 'empty-label'],
    ['example.com.', 'empty-label'],
    ['-a.example', 'hyphen'],
    ['a-.example', 'hyphen'],
    ['a_b.example', 'character'],
    ['a b.example', 'character'],
    ['a\u00a0b.example', 'not-idna'],
    ['a/b.example', 'character'],
    ['ex%61mple.com', 'character'],
    ['xn--a.example', 'not-idna'],
    ['xn--zzzzzzzzzz99.example', 'not-idna'],
    ['a\u200db.example', 'not-idna'],
    ['אa.example', 'not-idna'],
    ['\ud800.example', 'not-idna'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
    [`${'a'.repeat(64)}.example`, 'label-too-long'],
    [`${'ü'.repeat(60)}.example`, 'label-too-long'],
    [`${'a'.repeat(60)}.${'a'.repeat(60)}.${'a'.repeat(60)}.${'a'.repeat(60)}.example.com`, 'too-long'],
    ['a'.repeat(5000), 'too-long'],
    ['[192.0.2.1]', 'address-literal'],
    ['192.0.2.1', 'numeric'],
    ['1.2.3', 'numeric'],
    ['127.0x1', 'numeric'],
  ]
  for (const [text, expected] of CASES) {
    test(`${JSON.stringify(text.slice(0, 40))} is ${expected.slice(0, 40)}`, () =>
      assert.equal(outcome(text), expected))
  }

  test('any text gives lower-case letters, digits, hyphens and dots that parse to themselves, or a fault', () => {
    const unit = fc.constantFrom(...Array.from('aZ0.-_xnü例\u200dßא。\u00ad\ud800 '))
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit, maxLength: 30 }), fc.string({ unit: 'binary' }), fc.domain()),
        (text) => {
          const result = parseDomainName(text)
          if (typeof result !== 'string') return
          assert.match(result, /^(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/)
          assert.equal(parseDomainName(result), result)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
