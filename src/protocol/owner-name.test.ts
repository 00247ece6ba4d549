import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parseOwnerName } from './owner-name.ts'

const NAMES: Record<string, string> = {
  'example.com': 'example.com',
  'WWW.Example.COM.': 'www.example.com',
  '_dmarc.example.com': '_dmarc.example.com',
  'cf-bounce._domainkey.example.com': 'cf-bounce._domainkey.example.com',
  'müller.example': 'xn--mller-kva.example',
  www: 'www',
  'r4---sn.example': 'r4---sn.example',
}
for (const [given, name] of Object.entries(NAMES))
  test(`a name: ${given}`, () => assert.equal(parseOwnerName(given), name))

const FAULTS = [
  '',
  '.',
  'a..b',
  '-a.example',
  'a-.example',
  'a b.example',
  'a/b',
  'a\0b',
  '*.example',
  '*',
  'a.*.b',
]
for (const given of [...FAULTS, 'x'.repeat(64), `${'x'.repeat(60)}.`.repeat(5), 'x'.repeat(5000)])
  test(`no name: ${JSON.stringify(given.slice(0, 20))}`, () =>
    assert.equal(typeof parseOwnerName(given), 'object'))

test('RFC 4592: a wildcard is the whole leftmost label', () => {
  assert.equal(parseOwnerName('*.Example.com', { wildcard: true }), '*.example.com')
  for (const given of ['*', 'a.*.example.com', '*a.example.com', '**.example.com'])
    assert.equal(typeof parseOwnerName(given, { wildcard: true }), 'object', given)
})

test('whatever is a name is one in its own spelling, too, and fits into a message', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 300 }), fc.domain(), fc.string({ unit: 'binary' })),
      (text) => {
        const name = parseOwnerName(text, { wildcard: true })
        if (typeof name !== 'string') return
        assert.equal(parseOwnerName(name, { wildcard: true }), name)
        assert.ok(
          name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63),
        )
      },
    ),
    { numRuns: 2000 },
  )
})
