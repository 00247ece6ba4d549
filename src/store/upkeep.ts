import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** 16 MiB: long enough that hot pages are copied once for many commits, short enough to take some milliseconds. */
const CHECKPOINT_PAGES = 4096
/** 64 MiB: a log that readers kept from restarting. */
const TRUNCATE_PAGES = 16_384
/** Free pages are reused by later writes; only a heap of them is given back to the file system, a little at a time. */
const FREE_PAGES = 4096
const VACUUM_PAGES = 512

interface LogState {
  readonly log: number
  readonly checkpointed: number
}

/** Keeps the write-ahead log short and the file no larger than it must be. Runs in the writer thread, between
 *  batches: a set never waits for it inside its own transaction. */
export class Upkeep {
  readonly #database: DatabaseSync
  readonly #state: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#state = database.prepare('pragma wal_checkpoint(noop)')
  }

  afterBatch(): void {
    const { log, checkpointed } = this.#logState()
    if (log - checkpointed >= CHECKPOINT_PAGES) this.#database.exec('pragma wal_checkpoint(passive)')
  }

  /** To be called when no batch is in flight. Answers whether there is more to do. */
  whenIdle(): boolean {
    const { log, checkpointed } = this.#logState()
    if (log >= TRUNCATE_PAGES) this.#truncateLog()
    else if (log > checkpointed) this.#database.exec('pragma wal_checkpoint(passive)')
    const free = this.#database.prepare('pragma freelist_count').get()?.['freelist_count']
    if (Number(free) < FREE_PAGES) return false
    this.#database.exec(`pragma incremental_vacuum(${VACUUM_PAGES})`)
    return true
  }

  #truncateLog(): void {
    // A reader still in the log is not worth waiting for: batches would wait as well.
    this.#database.exec('pragma busy_timeout = 0; pragma wal_checkpoint(truncate); pragma busy_timeout = 5000')
  }

  #logState(): LogState {
    const row = this.#state.get()
    return { log: Number(row?.['log']), checkpointed: Number(row?.['checkpointed']) }
  }
}
