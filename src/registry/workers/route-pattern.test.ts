import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  byPrecedence,
  isRoutePattern,
  matchesRoute,
  parseRoutePattern,
  type RoutePattern,
} from './route-pattern.ts'

function pattern(text: string): RoutePattern {
  const parsed = parseRoutePattern(text)
  return isRoutePattern(parsed) ? parsed : assert.fail(`${text}: ${parsed.detail}`)
}

const MATCHES: readonly [pattern: string, host: string, path: string][] = [
  ['example.com/*', 'example.com', '/'],
  ['example.com/*', 'example.com', '/a/b'],
  ['Example.COM', 'example.com', '/'],
  ['https://example.com/a', 'example.com', '/a'],
  ['*.example.com/*', 'a.b.example.com', '/x'],
  ['*example.com/*', 'example.com', '/x'],
  ['*example.com/*', 'myexample.com', '/x'],
  ['example.com/api/v*', 'example.com', '/api/v1/x'],
]

const PASSES: readonly [pattern: string, host: string, path: string][] = [
  ['example.com/*', 'www.example.com', '/'],
  ['example.com', 'example.com', '/a'],
  ['*.example.com/*', 'example.com', '/'],
  ['*.example.com/*', 'myexample.com', '/'],
  ['example.com/a', 'example.com', '/a/'],
  ['example.com/API*', 'example.com', '/api'],
]

test('which requests are a route’s', () => {
  for (const [text, host, path] of MATCHES)
    assert.ok(matchesRoute(pattern(text), host, path), `${text} ${host}${path}`)
  for (const [text, host, path] of PASSES)
    assert.ok(!matchesRoute(pattern(text), host, path), `${text} ${host}${path}`)
})

test('the more is said, the earlier', () => {
  const order = [
    ...['a.example.com/x/y', 'a.example.com/x/*', 'a.example.com/*', '*.a.example.com/*'],
    ...['example.com/x', 'example.com/*', '*example.com/*', '*.example.com/*'],
  ]
  const sorted = order.toReversed().sort((a, b) => byPrecedence(pattern(a), pattern(b)))
  assert.deepEqual(sorted, order)
})

test('what is no route', () => {
  const wrong = [
    '',
    '/',
    '*',
    '*/*',
    'localhost/*',
    'example.com/*/x',
    'example.com/?a',
    'a b.com',
    'ex*mple.com',
    '1.2.3.4/*/',
    'example.com/a#b',
    `example.com/${'x'.repeat(600)}`,
    'a..com/*',
  ]
  for (const text of wrong) assert.ok(!isRoutePattern(parseRoutePattern(text)), text)
})

test('any text is a route or none', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.domain().map((domain) => `*.${domain}/*`),
      ),
      (text) => {
        const parsed = parseRoutePattern(text)
        if (!isRoutePattern(parsed)) return assert.ok(parsed.detail.length > 10)
        const host = `${parsed.before === '*.' ? 'x.' : ''}${parsed.host}`
        return assert.ok(matchesRoute(parsed, host, `${parsed.path}${parsed.open ? 'more' : ''}`))
      },
    ),
  )
})
