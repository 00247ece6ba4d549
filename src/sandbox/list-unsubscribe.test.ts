import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { viewListUnsubscribe } from './list-unsubscribe.ts'

test('RFC 2369 §2: URIs in angle brackets, commas and comments between them', () => {
  const header = '<mailto:list@example.com?subject=out>, (one click) <https://example.com/out?x=1>'
  assert.deepEqual(viewListUnsubscribe(header, 'List-Unsubscribe=One-Click'), {
    Header: header,
    Links: ['mailto:list@example.com?subject=out', 'https://example.com/out?x=1'],
    Errors: '',
    HeaderPost: 'List-Unsubscribe=One-Click',
  })
})

test('no field, no errors', () => {
  assert.deepEqual(viewListUnsubscribe('', ''), { Header: '', Links: [], Errors: '', HeaderPost: '' })
})

for (const [header, links, fault] of [
  ['https://example.com/out', [], /outside of angle brackets/],
  ['<javascript:alert(1)>', [], /neither mailto: nor http/],
  ['<ftp://example.com/>', [], /neither mailto: nor http/],
  ['<https://exa mple.com>, <mailto:a@example.com>', ['mailto:a@example.com'], /white space/],
  ['<https://[>', [], /no URL/],
  ['()', [], /no link/],
] as const)
  test(`List-Unsubscribe: ${header} has a fault`, () => {
    const view = viewListUnsubscribe(header, '')
    assert.deepEqual(view.Links, links)
    assert.match(view.Errors, fault)
  })

test('only mailto: and http(s): links come out, whatever the field says', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('<', '>', '(', ')', ',', 'https://', 'mailto:', 'data:'),
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const { Links } = viewListUnsubscribe(pieces.join(''), '')
      for (const link of Links) assert.match(link, /^(?:mailto:|https?:\/\/)/i)
    }),
  )
  assert.deepEqual(viewListUnsubscribe('('.repeat(1_000_000), '').Links, [])
})
