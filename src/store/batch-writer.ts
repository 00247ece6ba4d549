import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { isBroken, isBusy, isFull, sqliteCode, undoesBatch } from './sqlite-error.ts'
import type { Param } from './store.ts'
import { ANY_ROWS, type BatchOutcome, type SetOutcome, type WriteBatch } from './write-batch.ts'

interface Prepared {
  readonly statement: StatementSync
  readonly returns: boolean
}

/** Writes batches of sets, a batch in one transaction, so that one fsync carries them all and a set that fails takes
 *  nothing with it but itself. */
export class BatchWriter {
  readonly #database: DatabaseSync
  readonly #sql: string[] = []
  readonly #prepared: (Prepared | undefined)[] = []
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #rollback: StatementSync
  readonly #savepoint: StatementSync
  readonly #release: StatementSync
  readonly #undo: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#begin = database.prepare('begin immediate')
    this.#commit = database.prepare('commit')
    this.#rollback = database.prepare('rollback')
    this.#savepoint = database.prepare('savepoint one_set')
    this.#release = database.prepare('release one_set')
    this.#undo = database.prepare('rollback to one_set')
  }

  write(batch: WriteBatch): BatchOutcome {
    this.#sql.push(...batch.statements)
    try {
      return this.#commitBatch(this.#writeTogether(batch.cells) ?? this.#writeApart(batch.cells))
    } catch (error) {
      return this.#undoBatch(error)
    }
  }

  #commitBatch(sets: readonly SetOutcome[]): BatchOutcome {
    try {
      this.#commit.run()
    } catch (error) {
      // Full and busy leave no commit behind. Of any other failure nobody knows what reached the disk: a retried
      // fsync that succeeds proves nothing about the pages that the failed one dropped.
      if (isFull(error) || isBusy(error)) throw error
      return { kind: 'broken', message: `commit: ${String(error)}` }
    }
    return { kind: 'written', sets: sets.every((outcome) => outcome === 0) ? undefined : sets }
  }

  #undoBatch(error: unknown): BatchOutcome {
    if (isBroken(error)) return { kind: 'broken', message: String(error) }
    try {
      if (this.#database.isTransaction) this.#rollback.run()
    } catch (cause) {
      return { kind: 'broken', message: `rollback: ${String(cause)}` }
    }
    return { kind: 'undone', full: isFull(error), message: String(error), code: sqliteCode(error) }
  }

  /** Without savepoints, each of which copies every page its set touches: a quarter of this thread's time, and a set
   *  seldom fails. Where one did, all are undone and the answer is undefined. */
  #writeTogether(cells: readonly Param[]): SetOutcome[] | undefined {
    const outcomes: SetOutcome[] = []
    this.#begin.run()
    for (let at = 0; at < cells.length; at = endOfSet(cells, at)) {
      const outcome = this.#runSet(cells, at)
      if (failed(outcome)) {
        this.#rollback.run()
        return undefined
      }
      outcomes.push(outcome)
    }
    return outcomes
  }

  #writeApart(cells: readonly Param[]): SetOutcome[] {
    const outcomes: SetOutcome[] = []
    this.#begin.run()
    for (let at = 0; at < cells.length; at = endOfSet(cells, at)) {
      this.#savepoint.run()
      const outcome = this.#runSet(cells, at)
      if (failed(outcome)) this.#undo.run()
      this.#release.run()
      outcomes.push(outcome)
    }
    return outcomes
  }

  #runSet(cells: readonly Param[], start: number): SetOutcome {
    const end = endOfSet(cells, start)
    const rows: (readonly unknown[] | undefined)[] = []
    let returned = false
    for (let at = start + 1, write = 0; at < end; write++) {
      const expected = Number(cells[at + 1])
      const next = at + 3 + Number(cells[at + 2])
      const result = this.#runWrite(Number(cells[at]), cells.slice(at + 3, next))
      at = next
      if (typeof result !== 'number' && 'message' in result) return { write, ...result }
      const changed = typeof result === 'number' ? result : result.length
      if (expected !== ANY_ROWS && changed !== expected) return { conflict: write }
      if (typeof result !== 'number') returned = true
      rows.push(typeof result === 'number' ? undefined : result)
    }
    return returned ? { rows } : 0
  }

  /** The number of changed rows, or the rows themselves, or why this one write failed. */
  #runWrite(
    number: number,
    params: Param[],
  ): number | readonly unknown[] | { readonly message: string; readonly code: number | undefined } {
    try {
      const { statement, returns } = this.#prepare(number)
      return returns ? statement.all(...params) : Number(statement.run(...params).changes)
    } catch (error) {
      if (isBroken(error) || undoesBatch(error) || !this.#database.isTransaction) throw error
      return { message: error instanceof Error ? error.message : String(error), code: sqliteCode(error) }
    }
  }

  #prepare(number: number): Prepared {
    const known = this.#prepared[number]
    if (known !== undefined) return known
    const statement = this.#database.prepare(this.#sql[number] ?? '')
    const prepared = { statement, returns: statement.columns().length > 0 }
    this.#prepared[number] = prepared
    return prepared
  }
}

function endOfSet(cells: readonly Param[], start: number): number {
  return start + 1 + Number(cells[start])
}

function failed(outcome: SetOutcome): boolean {
  return outcome !== 0 && !('rows' in outcome)
}
