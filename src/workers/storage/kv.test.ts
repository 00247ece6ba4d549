import assert from 'node:assert/strict'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { type KvPlace, openKv } from './kv.ts'
import { isKvKey, type KvKey, parseKvKey } from './kv-key.ts'
import { isKvFault, type KvWish, type KvWrite, readKvWrite } from './kv-write.ts'

const NOTHING = () => []

function keyOf(text: string): KvKey {
  const key = parseKvKey(text)
  return isKvKey(key) ? key : assert.fail(key.detail)
}

async function world({ store }: OpenStore) {
  let now = Date.now()
  const clock = () => now
  const accountId = (await openAccounts({ store, clock }).createAccount('A')).id
  const kv = openKv({ store, clock })
  const made = await kv.createNamespace(accountId, 'MAIL', NOTHING)
  assert.ok(typeof made !== 'string')
  const place: KvPlace = { accountId, namespaceId: made.id }
  const writeOf = (wish: Omit<KvWish, 'value'> & { value?: string | Uint8Array }): KvWrite => {
    const { value = 'v' } = wish
    const read = readKvWrite({ ...wish, value: typeof value === 'string' ? Buffer.from(value) : value }, now)
    return isKvFault(read) ? assert.fail(read.detail) : read
  }
  return {
    ...{ kv, place, accountId, store },
    pass: (ms: number) => (now += ms),
    nowS: () => Math.floor(now / 1000),
    put: (...wishes: Parameters<typeof writeOf>[0][]) => kv.put(place, wishes.map(writeOf)),
    text: async (key: string) => (await kv.get(place, keyOf(key)))?.value.toString(),
    names: async (prefix = '', limit = 1000) => {
      const names: string[] = []
      let cursor: string | undefined
      do {
        const page = await kv.list(place, { prefix, cursor, limit })
        assert.ok(typeof page !== 'string')
        assert.ok(page.keys.length > 0 || page.cursor === undefined)
        names.push(...page.keys.map(({ name }) => name))
        cursor = page.cursor
      } while (cursor !== undefined)
      return names
    },
  }
}

onBothEngines('what is put is there, and what is put again replaces it', async (_t, open) => {
  const { put, kv, place, text } = await world(open)
  assert.equal(await text('k'), undefined)
  assert.equal(await put({ key: 'k', value: 'one', metadata: { a: [1, null, 'ü'] } }), 'stored')
  assert.deepEqual(await kv.get(place, keyOf('k')), {
    value: Buffer.from('one'),
    size: 3,
    metadata: '{"a":[1,null,"ü"]}',
    expiresAt: null,
  })
  await put({ key: 'k', value: '' })
  assert.deepEqual(await kv.get(place, keyOf('k')), {
    ...{ value: Buffer.alloc(0), size: 0, metadata: null, expiresAt: null },
  })
  const again = openKv({ store: await open.reopen(), clock: Date.now })
  assert.equal((await again.get(place, keyOf('k')))?.size, 0)
})

onBothEngines('what is deleted is gone, and what is not there does no harm', async (_t, open) => {
  const { put, kv, place, text } = await world(open)
  await put({ key: 'a' }, { key: 'b' })
  assert.equal(await kv.delete(place, ['a', 'none'].map(keyOf)), 'deleted')
  assert.deepEqual([await text('a'), await text('b')], [undefined, 'v'])
})

onBothEngines('values of any octets and up to 25 MiB', async (_t, open) => {
  const { put, kv, place, store, pass } = await world(open)
  const large = Buffer.alloc(25 * 1_048_576, '0123456789abcdef\0\xff', 'latin1')
  const odd = large.subarray(0, 1_048_577)
  assert.equal(await put({ key: 'large', value: large }, { key: 'odd', value: odd }, { key: 's' }), 'stored')
  assert.ok((await kv.get(place, keyOf('large')))?.value.equals(large))
  assert.ok((await kv.get(place, keyOf('odd')))?.value.equals(odd))
  assert.equal(await kv.getAll(place, ['large', 's'].map(keyOf)), 'too-large')
  const together = await kv.getAll(place, ['s', 'none', 'odd'].map(keyOf))
  assert.ok(typeof together !== 'string')
  assert.deepEqual(
    together.map((entry) => entry?.size),
    [1, undefined, odd.length],
  )
  await put({ key: 'large', value: 'small' })
  await kv.delete(place, [keyOf('odd')])
  const chunks = statement<{ readonly chunks: number }>('t', 'select count(*) as chunks from kv_chunk')
  assert.equal((await store.get(chunks, []))?.chunks, 0)
  // What was written of a value whose entry never came.
  await store.commit([
    {
      statement: statement('t', 'insert into kv_chunk (value_id, seq, content) values ($1, 0, $2)'),
      params: [Date.now().toString(16).padStart(12, '0').padEnd(32, '0'), Buffer.alloc(9)],
    },
  ])
  await kv.sweep()
  assert.equal((await store.get(chunks, []))?.chunks, 1)
  pass(3_700_000)
  await kv.sweep()
  assert.equal((await store.get(chunks, []))?.chunks, 0)
})

onBothEngines('a value that is replaced while it is read is the old or the new one', async (_t, open) => {
  const { put, kv, place } = await world(open)
  const values = ['x', 'y'].map((octet) => Buffer.alloc(3 * 1_048_576, octet))
  await put({ key: 'k', value: values[0] ?? '' })
  const reads = (async () => {
    for (let count = 0; count < 5; count++) {
      const got = (await kv.get(place, keyOf('k')))?.value ?? Buffer.alloc(0)
      assert.ok(values.some((value) => value.equals(got)))
    }
  })()
  for (let turn = 1; turn < 40; turn++) await put({ key: 'k', value: values[turn % 2] ?? '' })
  await reads
})

onBothEngines(
  'a list has the keys with a prefix in the order of their octets, page by page',
  async (_t, open) => {
    const { put, names, kv, place } = await world(open)
    const keys = ['a', 'a/1', 'a/2', 'a0', 'b', 'B', 'é', 'z', '\u{ffff}', '💌', 'nul\0', '%', '_']
    await put(...keys.map((key) => ({ key })))
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(await names(), sorted)
    for (const limit of [1, 2, 3, keys.length]) assert.deepEqual(await names('', limit), sorted)
    assert.deepEqual(await names('a', 2), ['a', 'a/1', 'a/2', 'a0'])
    assert.deepEqual(await names('a/'), ['a/1', 'a/2'])
    assert.deepEqual(await names('none'), [])
    assert.equal(await kv.list(place, { prefix: '', cursor: 'not one', limit: 10 }), 'bad-cursor')
  },
)

onBothEngines('what expired is not there any more, and is swept', async (_t, open) => {
  const { put, kv, place, text, names, pass, nowS, store } = await world(open)
  await put({ key: 'ttl', expirationTtl: 60 }, { key: 'at', expiration: nowS() + 120 }, { key: 'stays' })
  assert.equal((await kv.get(place, keyOf('ttl')))?.expiresAt, (nowS() + 60) * 1000)
  pass(60_000)
  assert.deepEqual([await text('ttl'), await text('at')], [undefined, 'v'])
  assert.deepEqual(await names('', 1), ['at', 'stays'])
  await put({ key: 'at' })
  pass(60_000)
  assert.equal(await text('at'), 'v')
  await kv.sweep()
  const entries = statement<{ readonly entries: number }>('t', 'select count(*) as entries from kv_entry')
  assert.equal((await store.get(entries, []))?.entries, 2)
})

onBothEngines('many at once', async (_t, open) => {
  const { put, names, kv, place } = await world(open)
  const keys = Array.from({ length: 1500 }, (_, index) => `key-${String(index).padStart(4, '0')}`)
  assert.equal(await put(...keys.map((key) => ({ key, expirationTtl: 60 }))), 'stored')
  assert.deepEqual(await names(), keys)
  await kv.delete(place, keys.slice(0, 1000).map(keyOf))
  assert.deepEqual(await names(), keys.slice(1000))
})

onBothEngines('namespaces: by title, renamed, removed with what is in them', async (_t, open) => {
  const { kv, place, accountId, put, text, pass, store } = await world(open)
  assert.equal(await kv.createNamespace(accountId, 'MAIL', NOTHING), 'title-taken')
  const other = await kv.createNamespace(accountId, 'OTHER', NOTHING)
  assert.ok(typeof other !== 'string')
  assert.equal(await kv.renameNamespace(accountId, { ...other, title: 'MAIL' }, NOTHING), 'title-taken')
  assert.deepEqual(await kv.renameNamespace(accountId, { ...other, title: 'NEW' }, NOTHING), {
    ...other,
    title: 'NEW',
  })
  const page = { order: 'title', direction: 'desc', offset: 0, limit: 10 } as const
  const titles = async () => (await kv.listNamespaces(accountId, page)).namespaces.map(({ title }) => title)
  assert.deepEqual(await titles(), ['NEW', 'MAIL'])
  await put(...Array.from({ length: 600 }, (_, index) => ({ key: `k${index}` })))
  assert.deepEqual(await kv.removeNamespace(accountId, place.namespaceId, NOTHING), {
    id: place.namespaceId,
    title: 'MAIL',
  })
  assert.equal(await kv.removeNamespace(accountId, place.namespaceId, NOTHING), undefined)
  assert.deepEqual(await titles(), ['NEW'])
  assert.equal(await text('k1'), undefined)
  assert.equal(await put({ key: 'k' }), 'no-namespace')
  assert.equal(await kv.list(place, { prefix: '', limit: 10 }), 'no-namespace')
  assert.ok(typeof (await kv.createNamespace(accountId, 'MAIL', NOTHING)) !== 'string')
  pass(61_000)
  await kv.sweep()
  const left = statement<{ readonly left: number }>(
    't',
    'select (select count(*) from kv_entry) + (select count(*) from kv_namespace where deleted_at is not null) as left',
  )
  assert.equal((await store.get(left, []))?.left, 0)
})

onBothEngines('another account’s namespace is none', async (_t, open) => {
  const { kv, place, put, text } = await world(open)
  const large = Buffer.alloc(100_000)
  await put({ key: 'k' }, { key: 'large', value: large })
  const foreign = { ...place, accountId: 'f'.repeat(32) }
  assert.equal(await kv.get(foreign, keyOf('k')), undefined)
  assert.equal(await kv.list(foreign, { prefix: '', limit: 10 }), 'no-namespace')
  const write = { key: keyOf('k'), value: large, metadata: null, expiresAt: null }
  assert.equal(await kv.put(foreign, [write]), 'no-namespace')
  assert.equal(await kv.delete(foreign, [keyOf('large')]), 'no-namespace')
  assert.equal(await kv.removeNamespace(foreign.accountId, place.namespaceId, NOTHING), undefined)
  assert.equal(await text('k'), 'v')
  assert.ok((await kv.get(place, keyOf('large')))?.value.equals(large))
})

onBothEngines('of two values for one key in one put the later counts', async (_t, open) => {
  const { put, text } = await world(open)
  await put({ key: 'b', value: '1' }, { key: 'a' }, { key: 'b', value: '2' })
  assert.equal(await text('b'), '2')
})

onBothEngines('many that put the same keys in other orders all get through', async (_t, open) => {
  const { put, names } = await world(open)
  const keys = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}` }))
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, turn) => put(...(turn % 2 === 0 ? keys : keys.toReversed()))),
  )
  assert.deepEqual(new Set(answers), new Set(['stored']))
  assert.equal((await names()).length, 50)
})
