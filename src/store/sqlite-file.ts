import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const MIB = 1024 * 1024

/** Makes the data folder, readable by its owner alone, and makes its name durable. */
export function makeDataFolder(directory: string): void {
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) fsyncFolder(dirname(directory))
  chmodSync(directory, 0o700)
}

/** Opens the database to write, creating it where it is missing. Only the owner of the data folder may call this. */
export function openToWrite(directory: string, maxPages: number | undefined): DatabaseSync {
  const file = join(directory, 'posthorn.sqlite')
  createPrivately(file)
  // The one who waits here is an operator's `sqlite3` on a live database.
  const database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true })
  // Both must come before the first page is written.
  database.exec('pragma auto_vacuum = incremental')
  database.exec('pragma journal_mode = wal')
  database.exec('pragma synchronous = full')
  database.exec('pragma temp_store = memory')
  database.exec('pragma cache_size = -16384')
  // Checkpoints happen between batches, when the writer says so, never inside somebody's commit.
  database.exec('pragma wal_autocheckpoint = 0')
  database.exec(`pragma journal_size_limit = ${64 * MIB}`)
  if (maxPages !== undefined) database.exec(`pragma max_page_count = ${maxPages}`)
  return database
}

/** Opens the database to read: each query sees everything that was committed before it began. */
export function openToRead(directory: string): DatabaseSync {
  const database = new DatabaseSync(join(directory, 'posthorn.sqlite'), { readOnly: true, timeout: 5000 })
  database.exec('pragma temp_store = memory')
  database.exec('pragma cache_size = -16384')
  return database
}

/** Creates an empty file that only its owner can read, and leaves an existing one alone: to open and close a file
 *  that SQLite has locked in this process would drop the lock. */
export function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw error
  }
  fsyncFolder(dirname(file))
}

export function fsyncFolder(directory: string): void {
  const folder = openSync(directory, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
