import type { Log } from '#observe/log.ts'
import { openSqliteStore } from './open-sqlite.ts'
import type { Store } from './store.ts'

/** The engine that the configuration names: PostgreSQL where there is a URL, else SQLite in the data folder. */
export async function openStore(options: {
  readonly directory: string
  readonly url: string | undefined
  readonly log: Log
}): Promise<Store> {
  const { directory, url, log } = options
  if (url === undefined) return openSqliteStore({ directory, log })
  // Loaded only here: most installations have no use for the client.
  const { openPostgresStore } = await import('./open-postgres.ts')
  return openPostgresStore({ url, log })
}
