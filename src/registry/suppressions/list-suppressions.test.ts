import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { onBothEngines } from '#test/stores.ts'
import { address, DAY_MS, suppressionsWorld } from '#test/suppressions-world.ts'
import { type Cursor, decodeCursor, encodeCursor, sameFilter } from './list-cursor.ts'
import type { ListFilter, Position } from './list-suppressions.ts'
import { readListFilter } from './read-list-filter.ts'
import type { Suppression, Suppressions } from './suppressions.ts'

async function everyPage(
  suppressions: Suppressions,
  accountId: string,
  { filter = {}, limit }: { filter?: ListFilter; limit: number },
): Promise<Suppression[]> {
  const all: Suppression[] = []
  let after: Position | undefined
  do {
    const page = await suppressions.list(accountId, { filter, limit, after })
    assert.ok(page.entries.length <= limit)
    assert.ok(page.next === undefined || page.entries.length > 0, 'an intermediate page is never empty')
    all.push(...page.entries)
    after = page.next
  } while (after)
  return all
}

onBothEngines('pages: sending domains first, the newest first, each entry once', async (_t, open) => {
  const { a, b, suppressions, report, pass } = await suppressionsWorld(open)
  const add = (email: string, domain?: string, expiresAt: number | null = null) =>
    suppressions.addManual(a, {
      email: address(email),
      expiresAt,
      note: null,
      ...(domain !== undefined && { scope: { type: 'sending_domain', value: domain } as const }),
    })
  await add('alex@one.example')
  await add('alex@two.example')
  await add('Alex@one.example', 'news.example')
  pass(10)
  await report('hard_bounce', null, 'gone@one.example')
  await report('soft_bounce', DAY_MS, 'full@one.example')
  await add('"a@b"@one.example', 'news.example')
  await add('alexa@one.example', 'shop.example')
  pass(10)
  await report('complaint', null, 'ALEX@three.example')

  const list = async (filter: ListFilter, limit = 2) =>
    (await everyPage(suppressions, a, { filter, limit })).map(({ email }) => email)
  const emails = await list({})
  assert.deepEqual(emails.slice(0, 2).sort(), ['"a@b"@one.example', 'alexa@one.example'])
  assert.deepEqual(emails.slice(2, 4), ['Alex@one.example', 'ALEX@three.example'])
  assert.deepEqual(emails.slice(4, 6).sort(), ['full@one.example', 'gone@one.example'])
  assert.deepEqual(emails.slice(6).sort(), ['alex@one.example', 'alex@two.example'])
  for (const limit of [1, 3, 7, 8, 1000])
    assert.deepEqual(await list({}, limit), emails, `${limit} to a page`)

  const filtered = async (fields: Parameters<typeof readListFilter>[0]) => {
    const filter = readListFilter(fields)
    assert.ok(!('detail' in filter), JSON.stringify(filter))
    return (await list(filter)).toSorted()
  }
  assert.deepEqual(await filtered({ email: 'ALEX@ONE.example' }), ['Alex@one.example', 'alex@one.example'])
  assert.deepEqual(await filtered({ search: 'Alex@' }), [
    'ALEX@three.example',
    'Alex@one.example',
    'alex@one.example',
    'alex@two.example',
  ])
  assert.deepEqual(await filtered({ search: 'alex@', email: 'alex@two.example' }), ['alex@two.example'])
  assert.deepEqual(await filtered({ search: 'alex@one.example', email: 'alex@two.example' }), [])
  assert.deepEqual(await filtered({ search: '"a@b"@' }), ['"a@b"@one.example'])
  assert.deepEqual(await filtered({ search: 'a@' }), [])
  assert.deepEqual(await filtered({ reason: 'hard_bounce' }), ['gone@one.example'])
  assert.deepEqual(await filtered({ reason: 'manual', search: 'alex@', scope_type: 'account' }), [
    'alex@one.example',
    'alex@two.example',
  ])
  const news = { scope_type: 'sending_domain', scope_value: 'News.Example.' }
  assert.deepEqual(await filtered(news), ['"a@b"@one.example', 'Alex@one.example'])
  assert.deepEqual(await filtered({ scope_type: 'account', reason: 'soft_bounce' }), ['full@one.example'])

  pass(DAY_MS)
  assert.deepEqual(await filtered({ reason: 'soft_bounce' }), [], 'what has expired is not listed')
  assert.deepEqual(await everyPage(suppressions, b, { limit: 2 }), [])
})

const NO_FILTERS = {
  'email must be whole': { email: 'alex@' },
  'a name alone is no search': { search: 'alex' },
  'nor is a domain': { search: '@example.com' },
  'nor is @ alone': { search: '@' },
  'an unknown reason': { reason: 'toString' },
  'an unknown scope': { scope_type: 'zone' },
  'a domain without its type': { scope_value: 'example.com' },
  'a domain of the account': { scope_type: 'account', scope_value: 'example.com' },
  'no domain': { scope_type: 'sending_domain', scope_value: 'a b' },
  'a domain that is not ASCII': { scope_type: 'sending_domain', scope_value: 'münchen.example' },
}
for (const [name, fields] of Object.entries(NO_FILTERS)) {
  test(`no filter: ${name}`, () => {
    const filter = readListFilter(fields)
    assert.ok('detail' in filter && filter.detail.length > 10)
  })
}

const key = randomBytes(32)
const anyCursor: fc.Arbitrary<Cursor> = fc.record({
  perPage: fc.integer({ min: 1, max: 1000 }),
  after: fc.record({ scopeType: fc.string(), createdAt: fc.nat(), id: fc.string() }),
  filter: fc.record(
    { emailKeys: fc.array(fc.string(), { minLength: 1, maxLength: 2 }), localKey: fc.string() },
    { requiredKeys: [] },
  ),
})

test('a cursor says what it was made of, to its own account', () => {
  fc.assert(
    fc.property(anyCursor, (cursor) => {
      const text = encodeCursor(cursor, 'a', key)
      assert.match(text, /^[\w-]+$/)
      const read = decodeCursor(text, 'a', key)
      assert.deepEqual(read, structuredClone(cursor))
      assert.ok(read && sameFilter(read.filter, cursor.filter))
      assert.equal(decodeCursor(text, 'b', key), undefined)
      assert.equal(decodeCursor(text, 'a', randomBytes(32)), undefined)
    }),
  )
})

test('a mangled cursor is none', () => {
  const after = { scopeType: 'account', createdAt: 1, id: 'f' }
  const text = encodeCursor({ perPage: 1, after, filter: {} }, 'a', key)
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'b', '_', '=', '\0', ''), (at, character) => {
      const mangled = `${text.slice(0, at)}${character}${text.slice(at + 1)}`
      if (mangled !== text) assert.equal(decodeCursor(mangled, 'a', key), undefined)
    }),
  )
  for (const other of ['', 'x', `${text}=`, ` ${text}`, 'A'.repeat(1_000_000)]) {
    assert.equal(decodeCursor(other, 'a', key), undefined)
  }
})

onBothEngines('the last page of 100,000 is an index away, as the first is', async (_t, open) => {
  const { a, suppressions, now } = await suppressionsWorld(open)
  for (let start = 0; start < 100_000; start += 10_000) {
    const wishes = [...Array(10_000).keys()].map((index) => ({
      email: address(`u${start + index}@d${index % 100}.example`),
      expiresAt: null,
      note: null,
    }))
    await suppressions.addManyManual(a, wishes)
  }
  const seen = new Set<string>()
  for (const { id } of await everyPage(suppressions, a, { limit: 1000 })) seen.add(id)
  assert.equal(seen.size, 100_000)
  const last = { scopeType: 'account', createdAt: now(), id: [...seen].sort()[50] ?? '' }
  const deep = await suppressions.list(a, { filter: {}, limit: 1000, after: last })
  assert.equal(deep.entries.length, 50)
  assert.equal(deep.next, undefined)
  const one = await suppressions.list(a, { filter: { localKey: 'u99999@' }, limit: 10 })
  assert.equal(one.entries.length, 1)
  await suppressions.addManual(a, { email: address('x@example.com'), expiresAt: null, note: null })
  const none = await suppressions.list(a, { filter: { reason: 'complaint' }, limit: 10 })
  assert.deepEqual(none, { entries: [], next: undefined })
})
