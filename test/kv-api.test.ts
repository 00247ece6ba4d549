import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type Cloudflare from 'cloudflare'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type ApiError, type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'

/** KV over REST: with the official SDK, and what its callers get wrong. */
let instance: Instance
let client: Cloudflare
let id: string

before(async () => {
  instance = await startInstance()
  client = sdkClient(instance.dev)
  id = (await client.kv.namespaces.create({ ...account(), title: 'SDK' })).id
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })

async function ask(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const { api, account_id, api_token } = instance.dev
  const response = await checkedFetch(`${api}/accounts/${account_id}/storage/kv/namespaces/${id}${path}`, {
    method,
    headers: { authorization: `Bearer ${api_token}`, ...headers },
    ...(body !== undefined && { body }),
  })
  const { status } = response
  const octets = Buffer.from(await response.arrayBuffer())
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  // The test states the shapes that the API documents.
  const answer = (isJson ? JSON.parse(octets.toString()) : {}) as {
    readonly result?: unknown
    readonly errors?: readonly ApiError[]
  }
  const { code, source } = answer.errors?.[0] ?? {}
  return { status, octets, result: answer.result, code, pointer: source?.pointer }
}

test('namespaces', async () => {
  const other = await client.kv.namespaces.create({ ...account(), title: 'OTHER' })
  assert.deepEqual(await client.kv.namespaces.get(other.id, account()), other)
  await client.kv.namespaces.update(other.id, { ...account(), title: 'MORE' })
  const titles: string[] = []
  const listing = client.kv.namespaces.list({ ...account(), order: 'title', direction: 'desc', per_page: 1 })
  for await (const { title } of listing) titles.push(title)
  assert.deepEqual(titles, ['SDK', 'MORE'])
  await client.kv.namespaces.delete(other.id, account())
  await assert.rejects(client.kv.namespaces.get(other.id, account()), /404.*10013/)
})

test('values, keys and metadata', async () => {
  const { namespaces } = client.kv
  const metadata = { from: 'a@example.com' }
  await namespaces.values.update('k/1', {
    ...{
      ...account(),
      namespace_id: id,
      value: 'text',
      metadata: JSON.stringify(metadata),
      expiration_ttl: 300,
    },
  })
  await namespaces.bulkUpdate(id, {
    ...account(),
    body: Array.from({ length: 1500 }, (_, index) => ({ key: `n${index}`, value: `{"n":${index}}` })),
  })
  const value = await namespaces.values.get('k/1', { ...account(), namespace_id: id })
  assert.equal(await value.text(), 'text')
  assert.deepEqual(await namespaces.metadata.get('k/1', { ...account(), namespace_id: id }), metadata)
  const names: string[] = []
  for await (const { name } of namespaces.keys.list(id, { ...account(), prefix: 'n', limit: 700 }))
    names.push(name)
  assert.equal(names.length, 1500)
  const got = await namespaces.bulkGet(id, {
    ...account(),
    keys: ['n7', 'none'],
    type: 'json',
    withMetadata: true,
  })
  assert.deepEqual(got, { values: { n7: { value: { n: 7 }, metadata: null }, none: null } })
  const deleted = await namespaces.bulkDelete(id, { ...account(), body: names })
  assert.deepEqual(deleted, { successful_key_count: 1500, unsuccessful_keys: [] })
  await namespaces.values.delete('k/1', { ...account(), namespace_id: id })
  await assert.rejects(namespaces.values.get('k/1', { ...account(), namespace_id: id }), /404.*10009/)
})

test('a value of 25 MiB, and one octet more', async () => {
  const largest = Buffer.alloc(25 * 1_048_576, 'a')
  assert.equal((await ask('PUT', '/values/large', largest)).status, 200)
  assert.ok((await ask('GET', '/values/large')).octets.equals(largest))
  const more = await ask('PUT', '/values/large', Buffer.alloc(largest.length + 1))
  assert.deepEqual([more.status, more.code, more.pointer], [400, 1001, '/value'])
  const far = await ask('PUT', '/values/large', Buffer.alloc(largest.length + 100_000))
  assert.deepEqual([far.status, far.code], [400, 10200])
})

test('a value that is replaced while it is read is the one or the other', async () => {
  const put = (n: number) => ask('PUT', '/values/often', new Uint8Array(3_000_000 + n))
  await put(0)
  const writes = async () => {
    for (let n = 0; n < 8; n++) assert.equal((await put(n)).status, 200)
  }
  const reads = async () => {
    for (let n = 0; n < 12; n++) {
      const { status, octets } = await ask('GET', '/values/often')
      assert.deepEqual([status, octets.length >= 3_000_000], [200, true])
    }
  }
  await Promise.all([writes(), reads(), reads()])
})

test('keys as they are, in the path too', async () => {
  for (const key of ['a b', 'ü/💌', '%41', '?x=1#y', '+', 'é'.repeat(256), '...']) {
    const path = `/values/${encodeURIComponent(key)}`
    assert.equal((await ask('PUT', path, key)).status, 200, key)
    assert.equal((await ask('GET', path)).octets.toString(), key)
  }
  const long = await ask('PUT', `/values/${'x'.repeat(513)}`, 'v')
  assert.deepEqual([long.status, long.code], [400, 1001])
  assert.equal((await ask('PUT', '/values/nul%00', 'v')).status, 404)
})

const wrong: readonly (readonly [
  what: string,
  ask: () => ReturnType<typeof ask>,
  pointer: string | undefined,
])[] = [
  ['a time to live of a second', () => ask('PUT', '/values/k?expiration_ttl=1', 'v'), '?expiration_ttl'],
  ['an expiry in the past', () => ask('PUT', '/values/k?expiration=1', 'v'), '?expiration'],
  ['no number', () => ask('PUT', '/values/k?expiration=soon', 'v'), '?expiration'],
  ['a form without a boundary', () => form('x', 'multipart/form-data'), undefined],
  ['a form that is none', () => form('x', 'multipart/form-data; boundary=b'), '/value'],
  ['a form without a value', () => form(part('metadata', '1')), '/value'],
  ['metadata in parts', () => form(part('value', 'v') + part('metadata[a]', '1')), undefined],
  ['metadata that are no JSON', () => form(part('value', 'v') + part('metadata', '{')), '/metadata'],
  ['a form of many parts', () => form(part('value', 'v').repeat(50)), undefined],
  ['a list of pairs that is none', () => ask('PUT', '/bulk', '{"key":"k"}'), ''],
  ['a pair without a value', () => ask('PUT', '/bulk', '[{"key":"k"}]'), '/0/value'],
  ['no base64', () => ask('PUT', '/bulk', '[{"key":"k","value":"v*","base64":true}]'), '/0/value'],
  [
    'a key that is empty, behind one that is good',
    () => ask('PUT', '/bulk', '[{"key":"good","value":""},{"key":"","value":""}]'),
    '/1/key',
  ],
  ['too many keys', () => ask('POST', '/bulk/get', JSON.stringify({ keys: Array(101).fill('k') })), '/keys'],
  ['a cursor that is none', () => ask('GET', '/keys?cursor=%22'), '?cursor'],
  ['too many at once', () => ask('GET', '/keys?limit=1001'), '?limit'],
]

const part = (name: string, value: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
const form = (parts: string, type = 'multipart/form-data; boundary=b') =>
  ask('PUT', '/values/form', `${parts}--b--\r\n`, { 'content-type': type })

for (const [what, call, pointer] of wrong) {
  test(`${what} is refused, and nothing is stored`, async () => {
    const { status, pointer: where } = await call()
    assert.deepEqual([status, where], [400, pointer])
    assert.equal((await ask('GET', '/values/k')).status, 404)
    assert.equal((await ask('GET', '/values/good')).status, 404)
    assert.equal((await ask('GET', '/values/form')).status, 404)
  })
}

test('a value never runs in a browser: it is a file of octets', async () => {
  await ask('PUT', '/values/page', '<script>alert(1)</script>', { 'content-type': 'text/html' })
  const { api, account_id, api_token } = instance.dev
  const { headers } = await fetch(`${api}/accounts/${account_id}/storage/kv/namespaces/${id}/values/page`, {
    headers: { authorization: `Bearer ${api_token}` },
  })
  assert.equal(headers.get('content-type'), 'application/octet-stream')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.match(headers.get('content-disposition') ?? '', /^attachment/)
})

test('namespaces leave their lines in the audit log', async () => {
  const { api, account_id, api_token } = instance.dev
  const response = await fetch(`${api}/accounts/${account_id}/audit_logs?action.type=kv_namespace.update`, {
    headers: { authorization: `Bearer ${api_token}` },
  })
  const { result } = JSON.parse(await response.text())
  assert.equal(result[0].oldValueJson.title, 'OTHER')
  assert.equal(result[0].newValueJson.title, 'MORE')
})
