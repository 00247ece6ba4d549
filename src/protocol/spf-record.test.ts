import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { hasInclude, isSpfText, parseSpf, withInclude, withoutInclude } from './spf-record.ts'

const OURS = '_spf.mx.posthorn.test'

test('config-domains.md: an existing record is merged', () => {
  for (const [existing, merged] of [
    ['v=spf1 include:_spf.google.com ~all', `v=spf1 include:${OURS} include:_spf.google.com ~all`],
    ['v=spf1 -all', `v=spf1 include:${OURS} -all`],
    ['v=spf1', `v=spf1 include:${OURS}`],
    ['V=SPF1 redirect=_spf.example.net', `V=SPF1 include:${OURS} redirect=_spf.example.net`],
    // Never reached, or without a pass: it has to stand before.
    [`v=spf1 -all include:${OURS}`, `v=spf1 include:${OURS} -all include:${OURS}`],
    [`v=spf1 ?include:${OURS} -all`, `v=spf1 include:${OURS} ?include:${OURS} -all`],
    // Already there, in whatever spelling.
    [`v=spf1 mx +include:${OURS.toUpperCase()}. ~all`, `v=spf1 mx +include:${OURS.toUpperCase()}. ~all`],
  ] as const) {
    assert.equal(withInclude(existing, OURS), merged)
    assert.ok(hasInclude(merged, OURS), merged)
  }
})

test('taking the include out leaves what was there before', () => {
  for (const existing of ['v=spf1 include:_spf.google.com ~all', 'v=spf1  mx   -all', 'v=spf1'])
    assert.equal(withoutInclude(withInclude(existing, OURS), OURS), existing)
})

test('terms: qualifiers, values, modifiers', () => {
  assert.deepEqual(parseSpf('v=spf1 ip4:192.0.2.0/24 -MX/24 ~a:h.example/24 exp=why.example ?all'), [
    { kind: 'mechanism', name: 'ip4', qualifier: '+', value: '192.0.2.0' },
    { kind: 'mechanism', name: 'mx', qualifier: '-', value: undefined },
    { kind: 'mechanism', name: 'a', qualifier: '~', value: 'h.example' },
    { kind: 'modifier', name: 'exp', qualifier: '+', value: 'why.example' },
    { kind: 'mechanism', name: 'all', qualifier: '?', value: undefined },
  ])
  for (const text of ['v=spf10 -all', 'v=spf1;', ' v=spf1', 'spf2.0/pra', ''])
    assert.equal(parseSpf(text), undefined, text)
})

test('whatever a record holds, merging keeps its terms and their order', () => {
  const term = fc.oneof(
    fc.constantFrom('mx', 'a', '-all', '~all', 'ip4:192.0.2.1', 'include:x.example', `include:${OURS}`, ''),
    fc.string().map((text) => text.replaceAll(' ', '')),
  )
  fc.assert(
    fc.property(fc.array(term), (terms) => {
      const text = ['v=spf1', ...terms].join(' ')
      assert.ok(isSpfText(text))
      const merged = withInclude(text, OURS)
      assert.ok(hasInclude(merged, OURS))
      assert.ok(merged === text || merged === ['v=spf1', `include:${OURS}`, ...terms].join(' '))
      assert.equal(withInclude(merged, OURS), merged)
      assert.ok(!hasInclude(withoutInclude(merged, OURS), OURS))
    }),
  )
})
