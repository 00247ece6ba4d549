import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { newDatabase } from '#test/stores.ts'
import type { Migration } from '../migrate.ts'
import { openPostgresStore } from '../open-postgres.ts'
import { openSqliteStore } from '../open-sqlite.ts'
import { type Param, type Store, statement } from '../store.ts'
import { foundation } from './0001-foundation.ts'
import { migrations } from './all.ts'

const before: readonly Migration[] = [{ version: 1, name: 'foundation', sql: foundation }]

/** Registers the test once for each engine, with an opener of one database that starts empty. */
function onBothDatabases(
  name: string,
  run: (open: (list: readonly Migration[]) => Promise<Store>) => Promise<void>,
): void {
  test(`${name} (sqlite)`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-user-tokens-'))
    t.after(() => rm(directory, { recursive: true, force: true }))
    await run((list) => openSqliteStore({ directory, migrations: list }))
  })
  test(`${name} (postgres)`, async () => {
    const url = await newDatabase()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query('drop schema public cascade; create schema public')
    await client.end()
    await run((list) => openPostgresStore({ url, migrations: list }))
  })
}

const insertAccount = statement(
  'test.insert-account',
  `insert into account (id, name, sending_enabled, created_at) values ($1, 'Example', 1, 1)`,
)
const insertToken = statement(
  'test.insert-token',
  `insert into token (id, account_id, name, hash, permissions, status, expires_at, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
)
const allTokens = statement<Record<string, Param>>('test.tokens', 'select * from token order by id')
const insertUser = statement(
  'test.insert-user',
  `insert into service_user (id, email, email_key, created_at) values ($1, $2, $2, 1)`,
)
const insertOwned = statement(
  'test.insert-owned',
  `insert into token (id, account_id, user_id, name, hash, permissions, status, created_at)
   values ($1, $2, $3, 'n', $4, '[]', 'active', 1)`,
)

async function withTokens(store: Store): Promise<void> {
  await store.commit([
    { statement: insertAccount, params: ['a'] },
    {
      statement: insertToken,
      params: ['t1', 'a', 'ci', 'h1', '["Email Sending:Edit"]', 'active', null, 1_800_000_000_000],
    },
    { statement: insertToken, params: ['t2', 'a', 'old', 'h2', '[]', 'revoked', 1_800_000_000_001, 2] },
  ])
  await store.close()
}

onBothDatabases('the tokens of a database that had none of users stay as they were', async (open) => {
  await withTokens(await open(before))
  await using store = closing(await open(migrations))
  const later = { policies: null, request_ip: null, not_before: null, modified_at: null, creator_email: null }
  const common = { account_id: 'a', user_id: null, kind: 'token', ...later }
  assert.deepEqual(await store.all(allTokens, []), [
    {
      ...common,
      id: 't1',
      name: 'ci',
      hash: 'h1',
      permissions: '["Email Sending:Edit"]',
      status: 'active',
      expires_at: null,
      created_at: 1_800_000_000_000,
    },
    {
      ...common,
      id: 't2',
      name: 'old',
      hash: 'h2',
      permissions: '[]',
      status: 'revoked',
      expires_at: 1_800_000_000_001,
      created_at: 2,
    },
  ])
})

onBothDatabases('a token has one owner and a hash of its own, also after the migration', async (open) => {
  await withTokens(await open(before))
  await using store = closing(await open(migrations))
  await store.commit([{ statement: insertUser, params: ['u', 'a@example.com'] }])
  const owned = (...params: Param[]) => store.commit([{ statement: insertOwned, params }])
  assert.equal((await owned('t3', 'a', null, 'h3')).ok, true)
  assert.equal((await owned('t4', null, 'u', 'h4')).ok, true)
  await assert.rejects(owned('t5', 'a', 'u', 'h5'), /token_owner/)
  await assert.rejects(owned('t5', null, null, 'h5'), /token_owner/)
  await assert.rejects(owned('t5', null, 'u', 'h1'), /unique/i)
  await assert.rejects(owned('t1', null, 'u', 'h5'), /unique/i)
  await assert.rejects(owned('t5', 'nobody', null, 'h5'), /foreign key/i)
  await assert.rejects(owned('t5', null, 'nobody', 'h5'), /foreign key/i)
  assert.equal((await store.all(allTokens, [])).length, 4)
})

function closing(store: Store): Store & AsyncDisposable {
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}
