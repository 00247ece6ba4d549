import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqliteStore } from '../open-sqlite.ts'
import { type Param, statement } from '../store.ts'
import { migrations } from './all.ts'

const insertAccount = statement(
  'test.insert-account',
  `insert into account (id, name, sending_enabled, created_at) values ('a', 'Example', 1, 1)`,
)
const insertZone = statement(
  'test.insert-zone',
  `insert into zone (id, account_id, name, status, created_at) values ('z', 'a', 'yourdomain.com', 'active', 7)`,
)
const insertRecord = statement(
  'test.insert-record',
  `insert into dns_record (id, zone_id, account_id, name, type, content, ttl, locked, purpose, created_at)
   values ('r', 'z', 'a', 'yourdomain.com', 'TXT', 'text', 1, 1, 'routing', 8)`,
)
const zoneRow = statement<Record<string, Param>>(
  'test.zone',
  'select status, type, dns, modified_at, records_at, checked_at from zone',
)
const recordRow = statement<Record<string, Param>>(
  'test.record',
  'select content, locked, comment, tags, modified_at from dns_record',
)

test('zones of before are hosted here as a whole, and their records stay', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-zones-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const old = await openSqliteStore({ directory, migrations: migrations.slice(0, 5) })
  const set = [insertAccount, insertZone, insertRecord].map((one) => ({ statement: one, params: [] }))
  assert.ok((await old.commit(set)).ok)
  await old.close()
  const store = await openSqliteStore({ directory, migrations: migrations.slice(0, 6) })
  t.after(() => store.close())
  assert.deepEqual(
    { ...(await store.get(zoneRow, [])) },
    { status: 'active', type: 'full', dns: 'hosted', modified_at: null, records_at: null, checked_at: null },
  )
  assert.deepEqual(
    { ...(await store.get(recordRow, [])) },
    { content: 'text', locked: 1, comment: null, tags: null, modified_at: null },
  )
})
