import { once } from 'node:events'
import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Log } from '#observe/log.ts'
import { migrateSqlite } from '#store/migrate.ts'
import { takeOwnerLock } from '#store/owner-lock.ts'
import { ScanPool } from '#store/scan-pool.ts'
import { isDamaged } from '#store/sqlite-error.ts'
import { fsyncFolder, makeDataFolder, openToWrite } from '#store/sqlite-file.ts'
import { ContentRefused } from './about-content.ts'
import type { HistoryEngine, Row } from './history-engine.ts'
import { historyFile, mendDays } from './history-tables.ts'
import type { OutboxEvent } from './outbox-event.ts'
import type { FromHistory, StrippedEvent, ToHistory } from './writer-thread.ts'

/** History on SQLite: a file, a writer thread and reading processes of its own, so that no question of it ever waits for
 *  the mail, nor the mail for one. Nor does a damaged file: mail must start without what is only told of it. */
export async function openSqliteHistory(options: {
  /** The data folder. */
  readonly directory: string
  readonly limitMs: number
  readonly log: Log
}): Promise<HistoryEngine> {
  const { log } = options
  const directory = join(options.directory, 'history')
  makeDataFolder(directory)
  const lock = takeOwnerLock(directory)
  try {
    const worker = await startWriter(directory).catch((error: unknown) => {
      if (!isDamaged(error)) throw error
      const aside = setAside(directory, new Date())
      log.error({ err: error, aside }, 'history: its file is damaged and was set aside, it begins anew')
      return startWriter(directory)
    })
    return new SqliteHistory(worker, lock, { ...options, directory })
  } catch (error) {
    lock.release()
    throw error
  }
}

async function startWriter(directory: string): Promise<Worker> {
  // Held until the writer has opened its own: the last connection to close would copy the whole log.
  using database = openToWrite(directory, undefined)
  migrateSqlite(database, historyFile)
  mendDays(database)
  const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
    workerData: directory,
    execArgv: [],
  })
  await once(worker, 'message')
  return worker
}

/** Moves everything of the database into a folder beside it, where it is still one: perhaps somebody can read more of it. */
function setAside(directory: string, at: Date): string {
  const folder = join(directory, `damaged-${at.toISOString().replaceAll(/[-:.]/g, '')}`)
  makeDataFolder(folder)
  for (const name of readdirSync(directory)) {
    if (name.startsWith('posthorn.sqlite')) renameSync(join(directory, name), join(folder, name))
  }
  fsyncFolder(directory)
  return folder
}

interface Asked {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

class SqliteHistory implements HistoryEngine {
  readonly kind = 'sqlite'
  readonly #worker: Worker
  readonly #lock: { release(): void }
  readonly #ended: Promise<void>
  readonly #asked: Asked[] = []
  readonly #pools: Record<'counts' | 'rows', ScanPool>
  #broken: Error | undefined

  constructor(
    worker: Worker,
    lock: { release(): void },
    of: { directory: string; limitMs: number; log: Log },
  ) {
    this.#worker = worker
    this.#lock = lock
    this.#pools = {
      counts: new ScanPool(of.directory, of.limitMs),
      rows: new ScanPool(of.directory, of.limitMs),
    }
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.on('message', (message: FromHistory) => this.#hear(message))
    const lose = (error: Error) => {
      if (this.#broken) return
      this.#broken = error
      of.log.fatal({ err: error }, 'history: its writer ended, events wait in the outbox until a restart')
      for (const { reject } of this.#asked.splice(0)) reject(error)
    }
    worker.on('error', (error) => lose(error instanceof Error ? error : new Error(String(error))))
    worker.on('exit', () => lose(new Error('the writer of history has ended')))
  }

  async read(purpose: 'counts' | 'rows', sql: string, params: readonly (string | number)[]): Promise<Row[]> {
    const numbered = sql.replaceAll(/\$(\d+)/g, '?$1')
    const rows = await this.#pools[purpose].run(`history.${purpose}`, { sql: numbered, params })
    return rows as Row[]
  }

  async take(events: readonly OutboxEvent[]): Promise<boolean> {
    await this.#ask({ kind: 'take', events: events.map(strip) })
    return true
  }

  forget(before: number): Promise<void> {
    return this.#ask({ kind: 'forget', before })
  }

  async close(): Promise<void> {
    await Promise.all([this.#pools.counts.close(), this.#pools.rows.close()])
    this.#broken ??= new Error('history is closed')
    this.#tell({ kind: 'close' })
    await this.#ended
    for (const { reject } of this.#asked.splice(0)) reject(this.#broken)
    this.#lock.release()
  }

  #ask(message: ToHistory): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#broken) throw this.#broken
      this.#asked.push({ resolve, reject })
      this.#tell(message)
    })
  }

  #tell(message: ToHistory): void {
    this.#worker.postMessage(message, [])
  }

  #hear(message: FromHistory): void {
    const asked = this.#asked.shift()
    if (message.kind !== 'failed') return asked?.resolve()
    const Kind = message.isAboutContent ? ContentRefused : Error
    asked?.reject(new Kind(`history took no batch: ${message.message}`))
  }
}

function strip(event: OutboxEvent): StrippedEvent {
  const { seq, id, at, accountId, messageId, deliveryId, terminal, domain, detailJson, type } = event
  return { seq, id, at, accountId, messageId, deliveryId, terminal, domain, detailJson, type }
}
