import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newDatabase } from '#test/stores.ts'
import type { Migration } from './migrate.ts'
import { migrations } from './migrations/all.ts'
import { openPostgresStore } from './open-postgres.ts'
import { openSqliteStore } from './open-sqlite.ts'
import { type Store, statement } from './store.ts'

type Opener = (list?: readonly Migration[]) => Promise<Store>

/** Registers the test once for each engine, with an opener of one database that has the foundation alone. */
function onBothDatabases(name: string, run: (t: TestContext, open: Opener) => Promise<void>): void {
  const opened = (t: TestContext, store: Store) => {
    t.after(() => store.close())
    return store
  }
  test(`${name} (sqlite)`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-migrate-'))
    t.after(() => rm(directory, { recursive: true, force: true }))
    await run(t, async (list = migrations) =>
      opened(t, await openSqliteStore({ directory, migrations: list })),
    )
  })
  test(`${name} (postgres)`, async (t) => {
    const url = await newDatabase()
    await run(t, async (list = migrations) => opened(t, await openPostgresStore({ url, migrations: list })))
  })
}

const next = (sql: Migration['sql']): Migration => ({
  version: migrations.length + 1,
  name: randomUUID(),
  sql,
})
const applied = statement<{ version: number; name: string }>(
  'migration.list',
  'select version, name from migration order by version',
)

onBothDatabases('a database that is up to date is left as it is', async (_, open) => {
  const first = await open()
  const expected = migrations.map(({ version, name }) => ({ version, name }))
  assert.deepEqual(await first.all(applied, []), expected)
  await first.close()
  assert.deepEqual(await (await open()).all(applied, []), expected)
})

onBothDatabases('a new migration runs once, in the words of its engine', async (_, open) => {
  const both = {
    sqlite: 'create table spelled (n {serial}, b {blob})',
    postgres: 'create table spelled (n {serial}, b {blob}); create view only_here as select 1 as n',
  }
  const list = [...migrations, next(both)]
  for (let starts = 0; starts < 2; starts++) {
    const store = await open(list)
    const insert = statement('spelled.insert', 'insert into spelled (b) values ($1) returning n')
    const result = await store.commit([{ statement: insert, params: [new Uint8Array([0, 255])], rows: 1 }])
    assert.deepEqual(result, { ok: true, rows: [[{ n: starts + 1 }]] })
    assert.equal((await store.all(applied, [])).length, list.length)
    await store.close()
  }
})

onBothDatabases('a migration that fails leaves the database as it was', async (_, open) => {
  const list = [...migrations, next('create table half (n integer); create table half (n integer)')]
  await assert.rejects(open(list), /half/)
  const store = await open()
  assert.equal((await store.all(applied, [])).length, migrations.length)
  await assert.rejects(store.get(statement('half', 'select n from half'), []))
})

onBothDatabases('a database that a newer Posthorn wrote is refused, saying so', async (_, open) => {
  const newer = await open([...migrations, next('create table newer (n integer)')])
  await newer.close()
  const known = migrations.length
  await assert.rejects(open(), {
    name: 'DatabaseTooNew',
    message: new RegExp(`schema version ${known + 1}, and this Posthorn knows versions up to ${known}`),
  })
})

onBothDatabases('migrations are numbered without gaps', async (_, open) => {
  await assert.rejects(open([...migrations, { version: 99, name: 'gap', sql: '' }]), /version 99 in place/)
})

test('nodes that start together on PostgreSQL migrate once', async () => {
  const url = await newDatabase()
  const list = [...migrations, next('create table together (n integer)')]
  const stores = await Promise.all(
    Array.from({ length: 5 }, () => openPostgresStore({ url, migrations: list })),
  )
  assert.equal((await stores[0]?.all(applied, []))?.length, list.length)
  await Promise.all(stores.map((store) => store.close()))
})

test('the released migrations are in order', () => {
  assert.deepEqual(
    migrations.map(({ version }) => version),
    migrations.map((_, index) => index + 1),
  )
})
