import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { foldText } from './fold-text.ts'
import type { MessageSummary } from './message-summary.ts'
import { matchesSearch, parseSearch, type Searchable } from './search-query.ts'

const JANE = { Name: 'Jane Doe', Address: 'Jane@Example.com' }

function message(fields: Partial<MessageSummary> = {}, text = ''): Searchable {
  const summary: MessageSummary = {
    ID: '0'.repeat(32),
    MessageID: 'Abc.1@example.com',
    Read: false,
    From: { Name: 'Shop', Address: 'shop@example.org' },
    To: [JANE],
    Cc: [],
    Bcc: [{ Name: '', Address: 'hidden@example.net' }],
    ReplyTo: [],
    Subject: 'Order 17, confirmed',
    Created: '2026-01-01T00:00:00.000Z',
    Username: '',
    Tags: [],
    Size: 100,
    Attachments: 0,
    Inline: 0,
    Snippet: '',
    Envelope: { From: 'bounce@example.org', To: ['jane@example.com'] },
    ...fields,
  }
  return { summary, searchText: foldText(text) }
}

function matches(query: string, candidate: Searchable): boolean {
  const parsed = parseSearch(query)
  assert.ok(!('invalid' in parsed), JSON.stringify(parsed))
  return matchesSearch(parsed, candidate)
}

const CANDIDATE = message({}, 'Your order, number 17, has <been> "shipped" to Jane')

for (const query of [
  'shipped',
  'SHIPPED order',
  '"number 17"',
  '<been>',
  'from:shop@example.org',
  'FROM:SHOP@EXAMPLE.ORG',
  'from:"shop shop"',
  'to:jane',
  'to:"Jane Doe"',
  'bcc:hidden@',
  'addressed:hidden',
  'addressed:shop',
  'recipient:jane@example.com',
  'subject:"order 17, confirmed"',
  'subject:order',
  'message-id:abc.1',
  'is:unread',
  '-is:read',
  '!has:attachment',
  '-cc:jane',
  '-to:bob shipped',
  'shipped to: "subject:order 17"',
])
  test(`search finds: ${query}`, () => assert.equal(matches(query, CANDIDATE), true))

for (const query of [
  'delivered',
  'shipped delivered',
  '"17 number"',
  'from:jane',
  'cc:jane',
  'is:read',
  'has:attachment',
  '-shipped',
  '!from:shop',
  'reply-to:shop',
  'recipient:hidden@example.net',
])
  test(`search passes over: ${query}`, () => assert.equal(matches(query, CANDIDATE), false))

test('has:attachment and has:inline look at the counts', () => {
  assert.equal(matches('has:attachment', message({ Attachments: 1 })), true)
  assert.equal(matches('has:attachments -has:inline', message({ Attachments: 1 })), true)
  assert.equal(matches('has:inline', message({ Inline: 2 })), true)
})

test('an address beyond ASCII is found in any case and normal form', () => {
  const to = [{ Name: 'Jäne', Address: 'Jäne@example.com' }]
  const candidate = message(
    { To: to, Envelope: { From: '', To: ['Jäne@example.com'] } },
    'To Jäne@example.com',
  )
  for (const query of ['to:jäne@example.com', 'recipient:ja\u0308ne@example.com', 'JA\u0308NE'])
    assert.ok(matches(query, candidate), query)
  assert.ok(!matches('to:jane@example.com', candidate))
})

test('a word with an unknown prefix is a word', () => {
  assert.equal(matches('https://example.com/x', message({}, 'see https://example.com/x')), true)
})

test('only a search for words reads the text', () => {
  const wants = (query: string) => {
    const parsed = parseSearch(query)
    return 'invalid' in parsed || parsed.wantsText
  }
  assert.equal(wants('from:a is:unread subject:b'), false)
  assert.equal(wants('from:a word'), true)
})

for (const query of [
  '',
  '   ',
  '""',
  'to:',
  'tag:x',
  'before:2026-01-01',
  'is:tagged',
  'has:wings',
  'a'.repeat(2001),
  'a '.repeat(51),
])
  test(`search refuses: ${query.slice(0, 20)}`, () => assert.ok('invalid' in parseSearch(query)))

test('any text is a search or is refused with a reason', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (query) => {
      const parsed = parseSearch(query)
      if ('invalid' in parsed) assert.notEqual(parsed.invalid, '')
      else matchesSearch(parsed, CANDIDATE)
    }),
  )
})

test('a word finds the text that contains it, and its negation does not', () => {
  const word = fc.stringMatching(/^[a-z0-9ßéА-Я.@_]{1,12}$/)
  fc.assert(
    fc.property(word, fc.string(), fc.string(), (middle, before, after) => {
      const candidate = message({}, `${before} ${middle} ${after}`)
      assert.equal(matches(middle, candidate), true)
      assert.equal(matches(`-${middle}`, candidate), false)
    }),
  )
})
