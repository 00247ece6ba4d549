import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { newDatabase } from '#test/stores.ts'
import { newId } from './id.ts'
import { openPostgresStore, type PostgresOptions } from './open-postgres.ts'
import { StoreFull, statement, type Write } from './store.ts'

const insertAccount = statement(
  'account.insert',
  'insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, 1)',
)
const renameAccount = statement('account.rename', 'update account set name = $2 where id = $1')
const selectAccount = statement<{ name: string }>('account.by-id', 'select name from account where id = $1')
const nap = statement('nap', 'select pg_sleep($1)')

const account = (id: string): Write => ({ statement: insertAccount, params: [id, 'x'], rows: 1 })
const rename = (id: string, name: string): Write => ({
  statement: renameAccount,
  params: [id, name],
  rows: 1,
})

async function openHere(t: TestContext, options: Partial<PostgresOptions> = {}) {
  const url = options.url ?? (await newDatabase())
  const store = await openPostgresStore({ url, ...options })
  t.after(() => store.close())
  return { store, url }
}

async function administrator(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  return client
}

/** Ends every connection of the stores to this database, in whatever they are doing. */
const endConnections = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = 'posthorn' and datname = current_database()`

test('sets that deadlock are tried again until all have committed', async (t) => {
  const { store } = await openHere(t)
  const [one, two] = [newId(), newId()]
  await store.commit([account(one), account(two)])
  // Each has its first row before either wants its second.
  const crossing = (first: string, second: string) => [
    rename(first, first),
    { statement: nap, params: [0.2] },
    rename(second, first),
  ]
  const results = await Promise.all([store.commit(crossing(one, two)), store.commit(crossing(two, one))])
  assert.ok(results.every(({ ok }) => ok))
  const names = [await store.get(selectAccount, [one]), await store.get(selectAccount, [two])].map(
    (row) => row?.name,
  )
  assert.ok(names[0] === names[1], 'the one that came last wrote both')
})

test('a set whose connection is cut before the answer is not acknowledged, and the store goes on', async (t) => {
  const { store, url } = await openHere(t)
  const admin = await administrator(t, url)
  const id = newId()
  const cut = assert.rejects(store.commit([account(id), { statement: nap, params: [20] }]), { code: '57P01' })
  await eventually(async () => {
    const { rowCount } = await admin.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)
    assert.ok(rowCount)
  })
  await admin.query(endConnections)
  await cut
  assert.equal(await store.get(selectAccount, [id]), undefined)
  assert.equal((await store.commit([account(id)])).ok, true)
})

test('idle connections that the server ends are replaced', async (t) => {
  const { store, url } = await openHere(t)
  const admin = await administrator(t, url)
  const id = newId()
  await store.commit([account(id)])
  await store.get(selectAccount, [id])
  await admin.query(endConnections)
  await eventually(async () => assert.equal((await store.get(selectAccount, [id]))?.name, 'x'))
  assert.equal((await store.commit([rename(id, 'y')])).ok, true)
})

test('a server that vanishes between the set and its answer: rejected, whatever it did', async (t) => {
  const { url } = await openHere(t)
  const proxy = await cuttingProxy(t, url)
  const { store } = await openHere(t, { url: proxy.url })
  const id = newId()
  await store.commit([account(id)])
  proxy.holdAnswers()
  const commit = assert.rejects(store.commit([rename(id, 'committed')]))
  const { store: direct } = await openHere(t, { url })
  await eventually(async () => assert.equal((await direct.get(selectAccount, [id]))?.name, 'committed'))
  proxy.cut()
  await commit
})

test('a full disk is StoreFull, and a later set commits', async (t) => {
  const { store, url } = await openHere(t)
  const admin = await administrator(t, url)
  await admin.query(`create function fill() returns trigger language plpgsql as
    $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$;
    create trigger full_disk before insert on account for each row when (new.name = 'big') execute function fill()`)
  const id = newId()
  const big = { statement: insertAccount, params: [newId(), 'big'], rows: 1 }
  await assert.rejects(store.commit([account(id), big]), StoreFull)
  assert.equal((await store.commit([account(id)])).ok, true)
})

test('a commit that fails at its end is not acknowledged', async (t) => {
  const { store, url } = await openHere(t)
  const admin = await administrator(t, url)
  await admin.query(`alter table quota_usage drop constraint quota_usage_account_id_fkey,
    add foreign key (account_id) references account (id) deferrable initially deferred`)
  const insert = statement(
    'usage.insert',
    'insert into quota_usage (account_id, day, recipients) values ($1, 1, 1)',
  )
  const orphan = { statement: insert, params: [newId()], rows: 1 }
  await assert.rejects(store.commit([orphan]), {
    name: 'StatementFailed',
    statement: 'commit',
    code: '23503',
  })
  const id = newId()
  assert.equal((await store.commit([{ ...orphan, params: [id] }, account(id)])).ok, true)
})

test('a scan that takes too long is ended by the server', async (t) => {
  const { store } = await openHere(t, { scanLimitMs: 200 })
  await assert.rejects(store.all(nap, [30]), { name: 'ScanTimeout' })
  await assert.rejects(store.get(nap, [30]), { name: 'ScanTimeout' })
})

test('readers can write nothing', async (t) => {
  const { store } = await openHere(t)
  await assert.rejects(store.all(insertAccount, [newId(), 'x']), /read-only transaction/)
})

test('commits are synchronous even where the server is set up otherwise', async (t) => {
  const { store, url } = await openHere(t)
  const admin = await administrator(t, url)
  await admin.query(
    `do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`,
  )
  const { store: second } = await openHere(t, { url })
  const shown = statement('show', `select current_setting('synchronous_commit') as value`)
  assert.deepEqual(await second.commit([{ statement: shown, params: [], rows: 1 }]), {
    ok: true,
    rows: [[{ value: 'on' }]],
  })
  await store.close()
})

test('a server that cannot be reached is an error of opening', async () => {
  await assert.rejects(openPostgresStore({ url: 'postgres://posthorn@127.0.0.1:1/none' }), {
    code: 'ECONNREFUSED',
  })
})

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await check()
    } catch (error) {
      if (attempt === 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** A TCP door before the server's socket, which can keep its answers and cut every connection. */
async function cuttingProxy(t: TestContext, url: string) {
  const target = new URL(url)
  const sockets: Socket[] = []
  let holding = false
  const server = createServer((client) => {
    const upstream = connect(`${target.searchParams.get('host')}/.s.PGSQL.5432`)
    sockets.push(client, upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.pipe(upstream)
    upstream.on('data', (chunk) => holding || client.write(chunk))
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  t.after(() => server.close())
  return {
    url: `postgres://posthorn@127.0.0.1:${address.port}${target.pathname}`,
    holdAnswers: () => {
      holding = true
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
