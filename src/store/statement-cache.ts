import type { DatabaseSync, StatementSync } from 'node:sqlite'

const MOST_STATEMENTS = 512

/** Prepared statements of one connection, the oldest dropped when there are too many. */
export class StatementCache {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const prepared = this.#database.prepare(sql)
    if (this.#prepared.size >= MOST_STATEMENTS) {
      for (const oldest of this.#prepared.keys()) {
        this.#prepared.delete(oldest)
        break
      }
    }
    this.#prepared.set(sql, prepared)
    return prepared
  }
}
