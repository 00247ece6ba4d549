import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { addSecondAccount } from '#test/second-account.ts'
import { type Asked, type Called, call as callInstance } from '#test/sending-call.ts'

/** The suppressions API over HTTP, by the official client and by hand. Rules and limits in depth are the registry's
 *  tests. */
let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance()
  client = sdkClient(instance.dev)
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })
const list = () => client.emailSending.suppressions
const call = (method: string, path: string, asked: Asked = {}): Promise<Called> =>
  callInstance(instance, { method, path, ...asked })

/** What no route does yet, done to the store. */
function inStore(sql: string, ...params: (string | number)[]): void {
  using db = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'), { timeout: 5000 })
  db.prepare(sql).run(...params)
}

test('the official SDK: create, get, edit, delete', async () => {
  const soon = new Date(Date.now() + 86_400_000).toISOString()
  const created = await list().create({ ...account(), email: 'One@Example.com', note: 'n', expires_at: soon })
  assert.deepEqual(created.scope, { type: 'account' })
  assert.match(created.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  const again = await list().create({ ...account(), email: 'one@example.com' })
  assert.equal(again.id, created.id, 'an active entry answers with its own id')

  const entry = await list().get(created.id, account())
  const { created_at, ...rest } = entry
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(rest, {
    id: created.id,
    email: 'One@example.com',
    reason: 'manual',
    expires_at: soon,
    read_only: false,
    scope: { type: 'account' },
    note: 'n',
  })
  assert.deepEqual(await list().edit(created.id, { ...account(), expires_at: null }), {
    ...entry,
    expires_at: null,
  })
  assert.deepEqual(await list().edit(created.id, { ...account(), note: '' }), {
    ...entry,
    expires_at: null,
    note: null,
  })
  assert.deepEqual(await list().delete(created.id, account()), { id: created.id, scope: { type: 'account' } })
  await assert.rejects(list().get(created.id, account()), Cloudflare.NotFoundError)
  await assert.rejects(list().delete(created.id, account()), Cloudflare.NotFoundError)
  await assert.rejects(list().edit(created.id, { ...account(), note: 'x' }), Cloudflare.NotFoundError)
})

test('the official SDK: lists page by page, with filters', async () => {
  for (let index = 0; index < 5; index++)
    await list().create({ ...account(), email: `page${index}@list.example` })
  const scope = { type: 'sending_domain', value: 'News.List.example' } as const
  await list().create({ ...account(), email: 'page0@list.example', scope })
  const emails: string[] = []
  for await (const entry of list().list({ ...account(), per_page: 2, reason: 'manual' })) {
    assert.equal(entry.note, undefined, 'a list leaves notes out')
    if (entry.email.endsWith('@list.example')) emails.push(entry.email)
  }
  assert.equal(emails.length, 6)
  assert.equal(new Set(emails).size, 5)
  assert.equal(emails[0], 'page0@list.example', 'entries of sending domains come first')
  const found = await list().list({ ...account(), search: 'PAGE0@', scope_type: 'sending_domain' })
  assert.deepEqual(
    found.result.map(({ scope }) => scope),
    [{ type: 'sending_domain', value: 'news.list.example' }],
  )
  const exact = await list().list({ ...account(), email: 'page3@list.example' })
  assert.equal(exact.result.length, 1)
})

test('the official SDK: imports in bulk', async () => {
  const result = await list().import({
    ...account(),
    items: [
      { email: 'bulk1@example.com', note: 'n' },
      { email: 'nobody' },
      { email: 'BULK1@example.com' },
      { email: 'bulk1@example.com', scope: { type: 'sending_domain', value: 'x.example' } },
      { email: 'bulk2@example.com', expires_at: '2001-01-01T00:00:00Z' },
    ],
  })
  const { items, ...counts } = result
  assert.deepEqual(counts, { total: 5, processed: 2, deduplicated: 1, errors: 0, invalid: 2, skipped: 0 })
  assert.deepEqual(
    items.map(({ index, status, email }) => [index, status, email]),
    [
      [0, 'processed', 'bulk1@example.com'],
      [1, 'invalid', 'nobody'],
      [3, 'processed', 'bulk1@example.com'],
      [4, 'invalid', 'bulk2@example.com'],
    ],
  )
  assert.match(items[3]?.error ?? '', /past/)
  assert.equal((await list().get(items[0]?.id ?? '', account())).note, 'n')
})

test('what is the operator’s or came by itself is not replaced', async () => {
  const { id } = await list().create({ ...account(), email: 'policy@example.com' })
  inStore(`update suppression set reason = 'policy', read_only = 1 where email = 'policy@example.com'`)
  const refused = (promise: Promise<unknown>) =>
    assert.rejects(promise, (error) => error instanceof Cloudflare.PermissionDeniedError)
  await refused(list().create({ ...account(), email: 'policy@example.com' }))
  await refused(list().edit(id, { ...account(), note: 'x' }))
  await refused(list().delete(id, account()))
  assert.equal((await list().get(id, account())).read_only, true)
  const { id: bounced } = await list().create({ ...account(), email: 'bounced@example.com' })
  inStore(`update suppression set reason = 'hard_bounce' where email = 'bounced@example.com'`)
  const { skipped, items } = await list().import({
    ...account(),
    items: [{ email: 'policy@example.com' }, { email: 'bounced@example.com' }],
  })
  assert.equal(skipped, 2)
  assert.match(items[1]?.error ?? '', /hard_bounce/)
  const created = await list().create({ ...account(), email: 'bounced@example.com' })
  assert.equal(created.id, bounced)
})

test('complaints: ten a day are taken back, then 429, which no client repeats', async () => {
  const ids: string[] = []
  for (let index = 0; index < 11; index++) {
    ids.push((await list().create({ ...account(), email: `c${index}@complaint.example` })).id)
  }
  inStore(`update suppression set reason = 'complaint' where email like '%@complaint.example'`)
  for (const id of ids.slice(0, 9)) await list().delete(id, account())
  const expires_at = new Date(Date.now() + 60_000).toISOString()
  await list().edit(ids[9] ?? '', { ...account(), expires_at })
  const eleventh = await call('DELETE', `suppressions/${ids[10]}`)
  assert.deepEqual([eleventh.status, eleventh.error.code], [429, 10004])
  assert.equal(eleventh.headers.get('x-should-retry'), 'false')
  await instance.restart()
  client = sdkClient(instance.dev)
  await assert.rejects(list().delete(ids[10] ?? '', account()), Cloudflare.RateLimitError)
})

test('cursors: both fields, null at the end, and only as they were given', async () => {
  const page = async (query: string, accountId?: string, token?: string) => {
    const { status, text, error } = await call('GET', `suppressions?${query}`, {
      ...(accountId !== undefined && { accountId }),
      ...(token !== undefined && { token }),
    })
    return { status, error, info: JSON.parse(text).result_info, result: JSON.parse(text).result }
  }
  const first = await page('per_page=2&search=page1%40&scope_type=&reason=')
  assert.deepEqual(first.info, { count: 1, per_page: 2, cursor: null, next_cursor: null })
  const whole = await page('per_page=2')
  assert.equal(whole.info.cursor, whole.info.next_cursor)
  const { cursor } = whole.info
  const second = await page(`cursor=${cursor}`)
  assert.equal(second.status, 200)
  assert.equal(second.info.per_page, 2, 'a cursor carries its list')
  assert.notDeepEqual(second.result[0], whole.result[0])

  const refused = async (query: string, ...as: string[]) => {
    const { status, error } = await page(query, ...as)
    assert.deepEqual([status, error.code], [400, 10001], query)
    assert.ok(error.detail.length > 10)
  }
  await refused(`cursor=${cursor}&reason=policy`)
  await refused(`cursor=${cursor.slice(0, -1)}`)
  await refused(`cursor=${cursor}A`)
  await refused('cursor=CUR2')
  await refused(`cursor=${'x'.repeat(5000)}`)
  const second2 = addSecondAccount(instance.directory, ['Email Sending:Edit'])
  await refused(`cursor=${cursor}`, second2.accountId, second2.token)
  for (const query of [
    ...['per_page=0', 'per_page=1001', 'per_page=ten', 'per_page=1e2', 'per_page=-1', 'email=a&email=b'],
    ...['search=alex', 'search=%40example.com', 'reason=none', 'scope_value=a.example', 'scope_type=zone'],
    ...['email=%00%40x.test', 'search=%F0%9F%98%80%00@', 'scope_type=sending_domain&scope_value=%00'],
  ]) {
    await refused(query)
  }
})

const INVALID: [name: string, body: unknown, pointer: string][] = [
  ['no body', '', ''],
  ['no JSON', '{"email":', ''],
  ['no address', {}, '/email'],
  ['a number', { email: 7 }, '/email'],
  ['no good address', { email: 'a b@x.test' }, '/email'],
  ['NUL', { email: 'a\0@x.test' }, '/email'],
  ['an unknown field', { email: 'a@x.test', reason: 'policy' }, '/reason'],
  ['the past', { email: 'a@x.test', expires_at: '2001-01-01T00:00:00Z' }, '/expires_at'],
  ['no time', { email: 'a@x.test', expires_at: 'tomorrow' }, '/expires_at'],
  ['no date', { email: 'a@x.test', expires_at: '2030-02-30T00:00:00Z' }, '/expires_at'],
  ['a number for a time', { email: 'a@x.test', expires_at: 1_900_000_000 }, '/expires_at'],
  ['a long note', { email: 'a@x.test', note: 'x'.repeat(1001) }, '/note'],
  ['NUL in a note', { email: 'a@x.test', note: 'a\0b' }, '/note'],
  ['half a surrogate pair', '{"email":"a@x.test","note":"\\ud83d"}', '/note'],
  ['an unknown scope', { email: 'a@x.test', scope: { type: 'zone' } }, '/scope/type'],
  ['a scope without its domain', { email: 'a@x.test', scope: { type: 'sending_domain' } }, '/scope/value'],
  ['a domain too much', { email: 'a@x.test', scope: { type: 'account', value: 'x.test' } }, '/scope/value'],
  ['no domain', { email: 'a@x.test', scope: { type: 'sending_domain', value: '..' } }, '/scope/value'],
  ['a scope of text', { email: 'a@x.test', scope: 'account' }, '/scope'],
  ['__proto__', '{"email":"a@x.test","__proto__":{"note":"x"}}', '/__proto__'],
]
for (const [name, body, pointer] of INVALID) {
  test(`400 to a new entry: ${name}`, async () => {
    const { status, error } = await call('POST', 'suppressions', { body })
    assert.deepEqual([status, error.code, error.pointer], [400, 10001, pointer], error.detail)
    assert.ok(error.detail.length > 10)
  })
}

test('a note has 1,000 characters, whatever they are made of', async () => {
  const note = '😀'.repeat(1000)
  const { id } = await list().create({ ...account(), email: 'note@example.com', note })
  assert.equal((await list().get(id, account())).note, note)
})

test('the scope cannot be changed, under a name of its own', async () => {
  const { id } = await list().create({ ...account(), email: 'scope@example.com' })
  for (const scope of [{ type: 'account' }, null, 'x']) {
    const { status, error } = await call('PATCH', `suppressions/${id}`, { body: { scope, note: 'x' } })
    assert.deepEqual([status, error.name, error.pointer], [400, 'scope_immutable', '/scope'])
  }
  const { id: hex } = { id: id.replaceAll('-', '') }
  assert.equal((await call('GET', `suppressions/${hex}`)).status, 200, 'without hyphens too')
})

test('ids that are none are not found', async () => {
  for (const id of [
    'x',
    '%00',
    'f'.repeat(32),
    `${'f'.repeat(32)}%00`,
    '..%2f..',
    "'",
    'export%00',
    'bulk',
  ]) {
    for (const method of ['DELETE', 'PATCH']) {
      const answer = await call(method, `suppressions/${id}`, method === 'PATCH' ? { body: {} } : {})
      assert.deepEqual([answer.status, answer.error.code], [404, 10000], `${method} ${id}`)
    }
  }
})

test('bulk: too many, too few, too large, too deep', async () => {
  const items = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ email: `x${index}@x.test` }))
  for (const body of [
    { items: items(1001) },
    { items: [] },
    {},
    { items: [{ email: 'a@x.test', x: 1 }] },
    [],
    '[[',
  ]) {
    const { status, error } = await call('POST', 'suppressions/bulk', { body })
    assert.deepEqual([status, error.code], [400, 10001], error.detail)
  }
  const large = await call('POST', 'suppressions/bulk', { body: ' '.repeat(9 * 1_048_576) })
  assert.deepEqual([large.status, large.error.code], [400, 10200])
  const full = addSecondAccount(instance.directory, ['Email Sending:Edit'])
  const as = { accountId: full.accountId, token: full.token }
  const note = '\u{1f600}'.repeat(1000)
  const body = {
    items: items(1000).map((item) => ({ ...item, note, scope: { type: 'account' }, expires_at: null })),
  }
  const { status, result } = await call('POST', 'suppressions/bulk', { body, ...as })
  assert.deepEqual([status, result?.processed], [200, 1000])
  for (let request = 1; request < 10; request++) {
    assert.equal((await call('POST', 'suppressions/bulk', { body: { items: items(1) }, ...as })).status, 200)
  }
  const eleventh = await call('POST', 'suppressions/bulk', { body: { items: items(1) }, ...as })
  if (eleventh.status === 200) return // A minute ended on the way.
  assert.deepEqual([eleventh.status, eleventh.error.code], [429, 10004])
  assert.match(eleventh.headers.get('retry-after') ?? '', /^\d+$/)
})

test('an entry of a sending domain stops its mail alone, until it is deleted', async () => {
  const mail = { to: 'scoped@example.com', from: 'app@yourdomain.com', subject: 's', text: 't' }
  const scopes = ['yourdomain.com', 'other.example'].map(
    (value) => ({ type: 'sending_domain', value }) as const,
  )
  const [ours, theirs] = await Promise.all(
    scopes.map((scope) => list().create({ ...account(), email: 'Scoped@example.com', scope })),
  )
  const refused = await instance.send(mail)
  assert.deepEqual(
    [refused.status, refused.body.errors[0]?.error_chain?.[0]?.name],
    [400, 'E_RECIPIENT_SUPPRESSED'],
  )
  await list().delete(ours?.id ?? '', account())
  assert.equal((await instance.send(mail)).status, 200)
  await list().delete(theirs?.id ?? '', account())
})
