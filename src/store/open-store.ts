import type { Log } from '#observe/log.ts'
import { DatabaseTooNew } from './migrate.ts'
import { openSqliteStore } from './open-sqlite.ts'
import { DataFolderInUse } from './owner-lock.ts'
import { makeDataFolder } from './sqlite-file.ts'
import type { OnCommit, Store } from './store.ts'

/** The engine that the configuration names: PostgreSQL where there is a URL, else SQLite in the data folder. */
export async function openStore(options: {
  readonly directory: string
  readonly url: string | undefined
  readonly log: Log
  readonly onCommit?: OnCommit
}): Promise<Store> {
  const { directory, url, log, onCommit } = options
  if (url === undefined) {
    try {
      return await openSqliteStore({ directory, log, onCommit })
    } catch (error) {
      if (error instanceof DatabaseTooNew || error instanceof DataFolderInUse) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new StoreUnavailable(`the data folder ${directory} cannot be used: ${reason}`, { cause: error })
    }
  }
  try {
    // The master key and the wrapped secrets of a node are kept in it on either engine.
    makeDataFolder(directory)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreUnavailable(`the data folder ${directory} cannot be used: ${reason}`, { cause: error })
  }
  // Loaded only here: most installations have no use for the client.
  const { openPostgresStore } = await import('./open-postgres.ts')
  try {
    return await openPostgresStore({ url, log, onCommit })
  } catch (error) {
    if (error instanceof DatabaseTooNew) throw error
    // The URL may hold a password: only where it leads is named.
    const { host, pathname } = new URL(url)
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreUnavailable(`PostgreSQL at ${host}${pathname} cannot be used: ${reason}`, { cause: error })
  }
}

/** The configured database cannot be opened. The message is for the person who starts the service. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}
