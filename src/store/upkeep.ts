import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** 16 MiB: long enough that a hot page is copied once for many commits, short enough to take some milliseconds. */
const CHECKPOINT_PAGES = 4096
/** 64 MiB: a log that readers kept from starting over. */
const TRUNCATE_PAGES = 16_384
/** Free pages are reused by later writes; only a heap of them is given back to the file system, a little at a time. */
const FREE_PAGES = 4096
const VACUUM_PAGES = 512

/** Keeps the write-ahead log short and the file no larger than it must be. Runs in the writer thread, between
 *  batches, so that no set pays for it inside its own transaction. */
export class Upkeep {
  readonly #database: DatabaseSync
  readonly #logState: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#logState = database.prepare('pragma wal_checkpoint(noop)')
  }

  /** Answers whether there is more to do at once: never. */
  afterBatch(): boolean {
    const { log, checkpointed } = this.#readLogState()
    if (log - checkpointed >= CHECKPOINT_PAGES) this.#database.exec('pragma wal_checkpoint(passive)')
    return false
  }

  /** To be called when no batch is in flight. Answers whether there is more to do. */
  whenIdle(): boolean {
    const { log, checkpointed } = this.#readLogState()
    if (log >= TRUNCATE_PAGES) this.#truncateLog()
    else if (log > checkpointed) this.#database.exec('pragma wal_checkpoint(passive)')
    const free = this.#database.prepare('pragma freelist_count').get()?.['freelist_count']
    if (Number(free) < FREE_PAGES) return false
    this.#database.exec(`pragma incremental_vacuum(${VACUUM_PAGES})`)
    return true
  }

  #truncateLog(): void {
    // A reader still in the log is not worth waiting for: batches would wait as well.
    this.#database.exec(
      'pragma busy_timeout = 0; pragma wal_checkpoint(truncate); pragma busy_timeout = 5000',
    )
  }

  #readLogState(): { log: number; checkpointed: number } {
    const row = this.#logState.get()
    return { log: Number(row?.['log']), checkpointed: Number(row?.['checkpointed']) }
  }
}
