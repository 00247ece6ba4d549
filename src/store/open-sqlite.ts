/** The embedded engine: SQLite, for one machine. One writer thread commits sets in groups; keyed reads run at once on
 *  the calling thread; scans run in processes that can be ended. One process owns a data folder. */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'
import type { Log } from '#observe/log.ts'
import { GroupCommit } from './group-commit.ts'
import { type Migration, migrateSqlite } from './migrate.ts'
import { migrations } from './migrations/all.ts'
import { takeOwnerLock } from './owner-lock.ts'
import { ScanPool } from './scan-pool.ts'
import { checkArity, sqlText } from './sql-text.ts'
import { isBroken, isFull } from './sqlite-error.ts'
import { makeDataFolder, openToRead, openToWrite } from './sqlite-file.ts'
import {
  type CommitResult,
  type OnCommit,
  type Param,
  type Statement,
  type Store,
  StoreFull,
  type Write,
} from './store.ts'
import type { FromWriter, ToWriter, WriterOptions } from './writer-thread.ts'

export interface SqliteOptions {
  readonly directory: string
  readonly log?: Log | undefined
  readonly onCommit?: OnCommit | undefined
  /** Called once, when the database cannot be trusted any more. By default the process ends, with code 70
   *  (EX_SOFTWARE) and one line on stderr. */
  readonly onFatal?: (message: string) => void
  /** The rest is for tests. */
  readonly migrations?: readonly Migration[]
  readonly maxPages?: number
  readonly scanLimitMs?: number
}

export interface SqliteStore extends Store {
  readonly engine: 'sqlite'
  readonly directory: string
}

const SCAN_LIMIT_MS = 5000
const CACHED_READS = 512

/** Opens the store in a folder, which is made, with mode 0700, where it is missing; the database is migrated.
 *  Throws DataFolderInUse, DatabaseTooNew and StoreFull. */
export async function openSqliteStore(options: SqliteOptions): Promise<SqliteStore> {
  const { directory, maxPages } = options
  makeDataFolder(directory)
  const lock = takeOwnerLock(directory)
  try {
    // Held until the writer has opened its own: the last connection to close would copy the whole log.
    using database = openToWrite(directory, maxPages)
    migrateSqlite(database, options.migrations ?? migrations)
    return new OpenSqlite(options, lock, await startWriter({ directory, maxPages }))
  } catch (error) {
    lock.release()
    throw isFull(error) ? new StoreFull(`there is no room to open ${directory}`, { cause: error }) : error
  }
}

async function startWriter(workerData: WriterOptions): Promise<Worker> {
  const writer = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData, execArgv: [] })
  await once(writer, 'message')
  return writer
}

function endProcess(message: string): never {
  writeSync(2, `posthorn: ${message}; ending, because nothing can be promised any more\n`)
  process.exit(70)
}

interface Read {
  readonly prepared: StatementSync
  readonly arity: number
}

class OpenSqlite implements SqliteStore {
  readonly engine = 'sqlite'
  readonly directory: string
  readonly #log: Log | undefined
  readonly #onFatal: (message: string) => void
  readonly #lock: { release(): void }
  readonly #writer: Worker
  readonly #writerEnded: Promise<void>
  readonly #group: GroupCommit
  readonly #database: DatabaseSync
  readonly #reads = new LRUCache<string, Read>({ max: CACHED_READS })
  readonly #scans: ScanPool
  #closed: Promise<void> | undefined
  #quietUntil = 0
  #state: 'open' | 'closing' | 'broken' = 'open'

  constructor(options: SqliteOptions, lock: { release(): void }, writer: Worker) {
    this.directory = options.directory
    this.#log = options.log
    this.#onFatal = options.onFatal ?? endProcess
    this.#lock = lock
    this.#database = openToRead(options.directory)
    this.#scans = new ScanPool(options.directory, options.scanLimitMs ?? SCAN_LIMIT_MS)
    this.#writer = writer
    this.#writerEnded = new Promise((resolve) => writer.once('exit', () => resolve()))
    this.#group = new GroupCommit((batch, blobs) => this.#tellWriter(batch, blobs), options.onCommit)
    writer.on('message', (message: FromWriter) => this.#hearWriter(message))
    writer.on('error', (error) => this.#break(`the writer thread failed: ${String(error)}`))
    writer.on('exit', () => this.#state === 'open' && this.#break('the writer thread ended by itself'))
  }

  commit(set: readonly Write[]): Promise<CommitResult> {
    return this.#group.commit(set)
  }

  get<R>(query: Statement<R>, params: readonly Param[]): Promise<R | undefined> {
    return new Promise((resolve) => {
      const { prepared, arity } = this.#read(query)
      checkArity(query, arity, params.length)
      try {
        const row = prepared.get(...params)
        // node:sqlite's rows have no prototype; the other engine's have. What shape they have the statement says.
        resolve(row === undefined ? undefined : ({ ...row } as R))
      } catch (error) {
        if (isBroken(error)) this.#break(String(error))
        throw error
      }
    })
  }

  async all<R>(query: Statement<R>, params: readonly Param[]): Promise<R[]> {
    const { text, arity } = sqlText('sqlite', query)
    checkArity(query, arity, params.length)
    const rows = await this.#scans.run(query.name, { sql: text, params })
    return rows as R[]
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const broken = this.#state === 'broken'
    this.#state = 'closing'
    await this.#group.end(new Error('the store is closed'))
    await this.#scans.close()
    this.#database.close()
    if (broken) await this.#writer.terminate()
    else this.#tellWriter('close', [])
    await this.#writerEnded
    this.#lock.release()
  }

  #read(query: Statement<unknown>): Read {
    const known = this.#reads.get(query.sqlite)
    if (known !== undefined) return known
    const { text, arity } = sqlText('sqlite', query)
    const read = { prepared: this.#database.prepare(text), arity }
    this.#reads.set(query.sqlite, read)
    return read
  }

  #tellWriter(message: ToWriter, blobs: ArrayBuffer[]): void {
    this.#writer.postMessage(message, blobs)
  }

  #hearWriter(message: FromWriter): void {
    if (message.kind === 'ready') return
    if (message.kind === 'broken') return this.#break(message.message)
    if (message.kind === 'undone') this.#complain(message.message)
    this.#group.settle(message)
  }

  /** At most once a second: a full disk undoes every batch. */
  #complain(message: string): void {
    if (performance.now() < this.#quietUntil) return
    this.#quietUntil = performance.now() + 1000
    this.#log?.error(`store: a batch was undone: ${message}`)
  }

  /** Nothing is acknowledged from here on. */
  #break(message: string): void {
    if (this.#state === 'broken') return
    this.#state = 'broken'
    const sentence = `the database in ${this.directory} failed: ${message}`
    this.#onFatal(sentence)
    this.#group.fail(new Error(sentence))
  }
}
