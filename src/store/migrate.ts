import type { DatabaseSync } from 'node:sqlite'
import type { ClientBase } from 'pg'

/** A step of the schema, forward only. `{blob}` and `{serial}` stand for what the engines spell differently. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly version: number
  readonly name: string
  readonly sql: string | { readonly sqlite: string; readonly postgres: string }
}

/** A newer Posthorn wrote this database: what its schema means is not known here. */
export class DatabaseTooNew extends Error {
  override readonly name = 'DatabaseTooNew'

  constructor(found: number, known: number) {
    super(
      `the database has schema version ${found}, and this Posthorn knows versions up to ${known}: ` +
        'start the newer Posthorn that wrote it, or restore a backup from before the upgrade',
    )
  }
}

const SPELLING = {
  sqlite: { '{blob}': 'blob', '{serial}': 'integer primary key autoincrement' },
  postgres: { '{blob}': 'bytea', '{serial}': 'bigint generated always as identity primary key' },
} as const

const MIGRATION_TABLE = `create table migration (
  version integer primary key,
  name text not null,
  applied_at bigint not null
)`

// Raises what a write set's failed expectation comes back as; see conflict-sql.ts.
const CONFLICT_FUNCTION = `create function posthorn_conflict(statement text) returns integer language plpgsql as
  $$ begin raise exception using errcode = 'PH001', message = statement; end $$`

/** Nodes that start together migrate one after the other under this lock, which is the database's own number space. */
const ADVISORY_LOCK = 0x706f7374

/** Brings a SQLite database up to the last of `migrations`, all or nothing. Throws DatabaseTooNew. */
export function migrateSqlite(database: DatabaseSync, migrations: readonly Migration[]): void {
  database.exec('begin immediate')
  try {
    const table = database
      .prepare(`select 1 from sqlite_schema where type = 'table' and name = 'migration'`)
      .get()
    if (table === undefined) database.exec(MIGRATION_TABLE)
    const row = database.prepare('select coalesce(max(version), 0) as version from migration').get()
    const record = database.prepare('insert into migration (version, name, applied_at) values (?, ?, ?)')
    for (const { version, name, sql } of missing(migrations, Number(row?.['version']))) {
      database.exec(spell(sql, 'sqlite'))
      record.run(version, name, Date.now())
    }
    database.exec('commit')
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

/** The same for PostgreSQL. Several nodes may call it at once. */
export async function migratePostgres(client: ClientBase, migrations: readonly Migration[]): Promise<void> {
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCK])
    const table = await client.query<{ found: boolean }>(
      `select to_regclass('migration') is not null as found`,
    )
    if (table.rows[0]?.found !== true) await client.query(`${MIGRATION_TABLE}; ${CONFLICT_FUNCTION}`)
    const applied = await client.query<{ version: number }>(
      'select coalesce(max(version), 0) as version from migration',
    )
    for (const { version, name, sql } of missing(migrations, applied.rows[0]?.version ?? 0)) {
      await client.query(spell(sql, 'postgres'))
      await client.query('insert into migration (version, name, applied_at) values ($1, $2, $3)', [
        version,
        name,
        Date.now(),
      ])
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

function missing(migrations: readonly Migration[], applied: number): readonly Migration[] {
  for (const [index, { version, name }] of migrations.entries()) {
    if (version !== index + 1)
      throw new Error(`migration "${name}" has version ${version} in place ${index + 1}`)
  }
  if (applied > migrations.length) throw new DatabaseTooNew(applied, migrations.length)
  return migrations.slice(applied)
}

function spell(sql: Migration['sql'], engine: 'sqlite' | 'postgres'): string {
  const spelling = SPELLING[engine]
  const text = typeof sql === 'string' ? sql : sql[engine]
  return text.replaceAll('{blob}', spelling['{blob}']).replaceAll('{serial}', spelling['{serial}'])
}
