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
import { migrations } from './all.ts'

const before = migrations.slice(0, 3)

/** Registers the test once for each engine, with an opener of one database that starts empty. */
function onBothDatabases(
  name: string,
  run: (open: (list: readonly Migration[]) => Promise<Store>) => Promise<void>,
): void {
  test(`${name} (sqlite)`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-suppression-scopes-'))
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
  `insert into account (id, name, sending_enabled, created_at) values ('a', 'Example', 1, 1)`,
)
const insertBefore = statement(
  'test.insert-before',
  `insert into suppression (id, account_id, email, email_key, reason, note, read_only, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
)
const insertAfter = statement(
  'test.insert-after',
  `insert into suppression (id, account_id, email, email_key, local_key, scope_type, scope_value, reason, read_only, created_at)
   values ($1, $2, 'x', $3, 'x', 'sending_domain', $4, 'manual', 0, 1)`,
)
const all = statement<Record<string, Param>>('test.suppressions', 'select * from suppression order by id')

onBothDatabases('entries of before are the account’s, and one stands for each scope', async (open) => {
  const old = await open(before)
  const quoted = '"a@b"@example.com'
  await old.commit([
    { statement: insertAccount, params: [] },
    {
      statement: insertBefore,
      params: ['s1', 'a', 'A@Example.com', 'a@example.com', 'policy', 'n', 1, 1_800_000_000_000, null],
    },
    { statement: insertBefore, params: ['s2', 'a', quoted, quoted, 'soft_bounce', null, 0, 2, 3] },
  ])
  await old.close()

  const store = await open(migrations.slice(0, 4))
  try {
    const scope = { account_id: 'a', scope_type: 'account', scope_value: '' }
    assert.deepEqual(
      (await store.all(all, [])).map((row) => ({ ...row })),
      [
        {
          ...scope,
          id: 's1',
          email: 'A@Example.com',
          email_key: 'a@example.com',
          local_key: 'a@',
          reason: 'policy',
          note: 'n',
          read_only: 1,
          created_at: 1_800_000_000_000,
          expires_at: null,
        },
        {
          ...scope,
          id: 's2',
          email: quoted,
          email_key: quoted,
          local_key: '"a@b"@',
          reason: 'soft_bounce',
          note: null,
          read_only: 0,
          created_at: 2,
          expires_at: 3,
        },
      ],
    )
    const add = (...params: Param[]) => store.commit([{ statement: insertAfter, params }])
    assert.equal((await add('s3', 'a', 'a@example.com', 'one.example')).ok, true)
    assert.equal((await add('s4', 'a', 'a@example.com', 'two.example')).ok, true)
    await assert.rejects(add('s5', 'a', 'a@example.com', 'two.example'), /unique/i)
    await assert.rejects(add('s5', 'a', 'a@example.com', ''), /unique/i)
    await assert.rejects(add('s5', 'nobody', 'b@example.com', ''), /foreign key/i)
  } finally {
    await store.close()
  }
})
