import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { Store } from '#store/store.ts'
import type { Instance } from './instance.ts'

export type Row = Readonly<Record<string, unknown>>

/** What an instance keeps, seen and changed behind its back, while it runs or between two runs. */
export interface InstanceDatabase extends AsyncDisposable {
  readonly engine: Store['engine']
  /** Of the main store. */
  all(sql: string): Promise<readonly Row[]>
  run(sql: string): Promise<void>
  /** All days of one of history's tables, `event` or `row`. */
  history(kind: 'event' | 'row', columns: string): Promise<readonly Row[]>
}

/** `url`: the database of an instance on PostgreSQL. */
export async function openInstanceDatabase(
  { directory }: Pick<Instance, 'directory'>,
  url: string | undefined,
): Promise<InstanceDatabase> {
  return url === undefined ? openSqlite(directory) : openPostgres(url)
}

function openSqlite(directory: string): InstanceDatabase {
  const path = join(directory, 'posthorn.sqlite')
  const historyPath = join(directory, 'history', 'posthorn.sqlite')
  const within = <T>(file: string, ask: (database: DatabaseSync) => T): T => {
    // Opened for each call: a connection that stays would keep the log of a store from being folded in.
    using database = new DatabaseSync(file, { timeout: 5000 })
    return ask(database)
  }
  return {
    engine: 'sqlite',
    all: async (sql) => within(path, (database) => database.prepare(sql).all()),
    run: async (sql) => within(path, (database) => database.exec(sql)),
    async history(kind, columns) {
      if (!existsSync(historyPath)) return []
      return within(historyPath, (database) =>
        database
          .prepare('select day from history_day')
          .all()
          .flatMap(({ day }) =>
            database.prepare(`select ${columns} from history_${kind}_${Number(day)}`).all(),
          ),
      )
    },
    async [Symbol.asyncDispose]() {},
  }
}

async function openPostgres(url: string): Promise<InstanceDatabase> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const all = async (sql: string) => (await pool.query<Row>(sql)).rows
  return {
    ...{ engine: 'postgres', all },
    async run(sql) {
      await pool.query(sql)
    },
    history: (kind, columns) => all(`select ${columns} from history_${kind}`),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

/** What is still on its way: all of it 0 when nothing more will happen by itself, but for reports by mail. */
export async function openEnds(database: InstanceDatabase) {
  const count = async (from: string) =>
    Number((await database.all(`select count(*) as n from ${from}`))[0]?.['n'])
  return {
    deliveries: await count(`delivery where state in ('waiting', 'claimed')`),
    outbox: await count('event'),
    toWebhooks: await count(`webhook_delivery where state = 'pending'`),
    toQueues: await count('queue_notification'),
  }
}
