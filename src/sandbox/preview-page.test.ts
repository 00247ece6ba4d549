import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PREVIEW_HEADERS, previewPage } from './preview-page.ts'

const none = new Map()
const pageOf = (html: string) => previewPage({ html, text: '', embedded: none })
const picture = (contentType: string, octets = 4) => ({
  fileName: 'p',
  contentType,
  content: new Uint8Array(octets).fill(7),
})

test('nothing in a page can make a connection that no policy knows', () => {
  for (const tag of [
    '<link rel=preconnect href=//evil.example>',
    '<LINK\nrel=dns-prefetch href=//evil.example>',
    '<meta http-equiv=refresh content="0;url=//evil.example">',
    '<Meta/name=referrer content=unsafe-url>',
    '<base href=//evil.example>',
    '</base>',
    '<iframe src=//evil.example>',
    '<FRAME src=//evil.example>',
    '<object data=//evil.example>',
    '<embed src=//evil.example>',
    '<link',
    '<li<link rel=preconnect href=//evil.example>',
    '<!--><link rel=preconnect href=//evil.example>-->',
  ])
    assert.doesNotMatch(
      pageOf(`<p>${tag}`),
      /<\/?(?:link|meta|base|iframe|frame|object|embed)(?:[\s/>]|$)/i,
      tag,
    )
  assert.equal(pageOf('<metal>, <basement> & <linked>'), '<metal>, <basement> & <linked>')
})

test('whatever the HTML is, no such element is left of it', () => {
  const piece = fc.constantFrom(
    ...['<', '/', 'link', 'LINK', 'meta', 'base', 'iframe', 'object', ' ', '\n', '>', 'x-', '\0', '"'],
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      assert.doesNotMatch(
        pageOf(pieces.join('')),
        /<\/?(?:link|meta|base|iframe|frame|object|embed)(?:[\s/>]|$)/i,
      )
    }),
  )
})

test('a link opens a window, which the sandbox forbids, and so leaves the message where it is', () => {
  assert.equal(
    pageOf('<A\nhref=x target=_self>x</A><area/href=x><a><abbr>'),
    '<A target="_blank"\nhref=x target=_self>x</A><area target="_blank"/href=x><a target="_blank"><abbr>',
  )
})

test('pictures that are in the message are in the page; nothing else is, and none without end', () => {
  const embedded = new Map([
    ['logo@x', picture('image/PNG')],
    ['a b', picture('image/gif')],
    ['page', picture('text/html')],
    ['drawing', picture('image/svg+xml')],
    ['large', picture('image/png', 8 * 1_048_576)],
  ])
  const page = (html: string) => previewPage({ html, text: '', embedded })
  assert.equal(page('<img src="cid:logo@x">'), '<img src="data:image/png;base64,BwcHBw==">')
  assert.equal(
    page("<p style='background:url(CID:a%20b)'>"),
    "<p style='background:url(data:image/gif;base64,BwcHBw==)'>",
  )
  for (const html of [
    '<img src=cid:nobody>',
    '<input type=image src="cid:page">',
    '<img src="cid:drawing">',
    '<img src="cid:%">',
  ])
    assert.equal(page(html), html)
  const many = page('<img src="cid:large">'.repeat(1000))
  assert.ok(many.length < 36 * 1_048_576)
  assert.equal(many.split('data:').length - 1, 2)
})

test('a message without HTML is shown as its text', () => {
  const page = previewPage({ html: undefined, text: '</pre><script>alert(1)</script>', embedded: none })
  assert.doesNotMatch(page, /<script/)
  assert.match(page, /&#60;script&#62;/)
})

test('what the page may do is said beside it', () => {
  const csp = PREVIEW_HEADERS['content-security-policy']?.split('; ')
  assert.deepEqual(csp, [
    ...['sandbox', "default-src 'none'", 'img-src data:', "style-src 'unsafe-inline'"],
    ...["frame-ancestors 'self'", "form-action 'none'", "base-uri 'none'"],
  ])
})
