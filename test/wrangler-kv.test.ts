import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** `wrangler kv …`, as it asks the API (clients.md §3.4). */
let instance: Instance
let wrangler: Wrangler
let id: string

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

test('namespace create and list', async () => {
  assert.match(await wrangler.prints('kv namespace create MAIL'), /Success!/)
  const listed: unknown = JSON.parse((await wrangler.run(['kv', 'namespace', 'list'])).stdout)
  assert.ok(Array.isArray(listed) && listed.length === 1)
  const [namespace] = listed
  id = namespace.id
  assert.deepEqual(namespace, { id, title: 'MAIL', supports_url_encoding: true })
  assert.match(
    await wrangler.refuses('kv namespace create MAIL'),
    /A KV namespace with the title "MAIL" already exists/,
  )
})

const key = (words: string) => `kv key ${words} --remote --namespace-id ${id}`

test('key put, get, list and delete', async () => {
  await wrangler.prints(key('put k1 v1'))
  await wrangler.prints(key('put dir/k%2F2 v2 --ttl 3600'), { more: ['--metadata', '{"a":"ü"}'] })
  assert.equal(await wrangler.prints(key('get k1 --text')), 'v1')
  assert.equal(await wrangler.prints(key('get dir/k%2F2 --text')), 'v2')
  const listed: unknown = JSON.parse(await wrangler.prints(key('list')))
  assert.ok(Array.isArray(listed))
  const [second, first] = listed
  assert.deepEqual(first, { name: 'k1' })
  assert.equal(second.name, 'dir/k%2F2')
  assert.deepEqual(second.metadata, { a: 'ü' })
  assert.ok(Math.abs(second.expiration - Date.now() / 1000 - 3600) < 60)
  assert.deepEqual(JSON.parse(await wrangler.prints(key('list --prefix k'))), [{ name: 'k1' }])
  await wrangler.prints(key('delete k1'))
  assert.match(await wrangler.refuses(key('get k1')), /404/)
})

test('a file goes in and comes out as it is', async () => {
  const octets = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 256))
  writeFileSync(join(wrangler.folder, 'file'), octets)
  await wrangler.prints(key('put file --path file'))
  const { dev } = instance
  const response = await fetch(
    `${dev.api}/accounts/${dev.account_id}/storage/kv/namespaces/${id}/values/file`,
    { headers: { authorization: `Bearer ${dev.api_token}` } },
  )
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(octets))
})

test('bulk put, get and delete', async () => {
  const pairs = [
    { key: 'b1', value: 'one', metadata: { n: 1 } },
    { key: 'b2', value: Buffer.from('two').toString('base64'), base64: true },
  ]
  writeFileSync(join(wrangler.folder, 'pairs.json'), JSON.stringify(pairs))
  writeFileSync(join(wrangler.folder, 'keys.json'), JSON.stringify(['b1', 'b2', 'none']))
  const bulk = (words: string) => `kv bulk ${words} --remote --namespace-id ${id}`
  await wrangler.prints(bulk('put pairs.json'))
  const got: unknown = JSON.parse(await wrangler.prints(bulk('get keys.json')))
  assert.deepEqual(got, { b1: 'one', b2: 'two', none: null })
  await wrangler.prints(bulk('delete keys.json --force'))
  assert.deepEqual(JSON.parse(await wrangler.prints(key('list --prefix b'))), [])
})

test('namespace rename and delete', async () => {
  await wrangler.prints(`kv namespace rename --namespace-id ${id} --new-name OTHER`)
  assert.match(await wrangler.prints('kv namespace list'), /"title": "OTHER"/)
  await wrangler.prints(`kv namespace delete --namespace-id ${id} -y`)
  assert.equal(await wrangler.prints('kv namespace list'), '[]')
  assert.match(await wrangler.refuses(key('list')), /namespace not found \[code: 10013\]/)
  assert.equal(wrangler.strayConnections(), 0)
})
