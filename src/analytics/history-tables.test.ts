import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrateSqlite } from '#store/migrate.ts'
import { dayTables, historyFile, mendDays } from './history-tables.ts'

const OLD = 20261119
const NEW = 20261120

const names = (database: DatabaseSync, day: number) =>
  database
    .prepare(
      `select name from pragma_table_info(?) union all select name from pragma_index_list(?) order by 1`,
    )
    .all(`history_row_${day}`, `history_row_${day}`)
    .map(({ name }) => String(name).replace(String(day), 'DAY'))

test('a day that an earlier Posthorn made gets what it lacks, once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  using database = new DatabaseSync(join(folder, 'history.sqlite'))
  migrateSqlite(database, historyFile)
  for (const day of [OLD, NEW]) database.exec(dayTables(day))
  // As it was.
  database.exec(`drop index history_row_${OLD}_header; alter table history_row_${OLD} drop column header_id;
    drop index history_row_${OLD}_label; alter table history_row_${OLD} drop column by_rule;
    insert into history_row_${OLD} values (1, 2, 3, 1, 5, 0, 'e', 'd', 'm', 'from', 'to', 'subject', 's', '')`)
  assert.notDeepEqual(names(database, OLD), names(database, NEW))
  for (let start = 0; start < 2; start++) {
    mendDays(database)
    assert.deepEqual(names(database, OLD), names(database, NEW))
  }
  const kept = database.prepare(`select subject, header_id from history_row_${OLD}`).all()
  assert.deepEqual(
    kept.map((row) => ({ ...row })),
    [{ subject: 'subject', header_id: '' }],
  )
})
