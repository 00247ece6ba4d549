import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { isBroken, isBusy, isFull, sqliteCode, undoesBatch } from './sqlite-error.ts'
import type { Param } from './store.ts'
import { ANY_ROWS, type BatchOutcome, type SetOutcome, type WriteBatch } from './write-batch.ts'

interface Prepared {
  readonly statement: StatementSync
  readonly returns: boolean
}

/** Writes batches of sets: each set a savepoint, the batch one transaction, so that one fsync carries them all and
 *  a set that fails takes nothing with it but itself. */
export class BatchWriter {
  readonly #database: DatabaseSync
  readonly #sql: string[] = []
  readonly #prepared: (Prepared | undefined)[] = []
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #savepoint: StatementSync
  readonly #release: StatementSync
  readonly #undo: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#begin = database.prepare('begin immediate')
    this.#commit = database.prepare('commit')
    this.#savepoint = database.prepare('savepoint one_set')
    this.#release = database.prepare('release one_set')
    this.#undo = database.prepare('rollback to one_set')
  }

  write(batch: WriteBatch): BatchOutcome {
    this.#sql.push(...batch.statements)
    try {
      this.#begin.run()
      return this.#commitBatch(this.#writeSets(batch.cells))
    } catch (error) {
      return this.#undoBatch(error)
    }
  }

  #commitBatch(sets: readonly SetOutcome[] | undefined): BatchOutcome {
    try {
      this.#commit.run()
      return { kind: 'written', sets }
    } catch (error) {
      // Full and busy leave no commit behind. Of any other failure nobody knows what reached the disk: a retried
      // fsync that succeeds proves nothing about the pages that the failed one dropped.
      if (isFull(error) || isBusy(error)) throw error
      return { kind: 'broken', message: `commit: ${String(error)}` }
    }
  }

  #undoBatch(error: unknown): BatchOutcome {
    if (isBroken(error)) return { kind: 'broken', message: String(error) }
    try {
      if (this.#database.isTransaction) this.#database.exec('rollback')
    } catch (cause) {
      return { kind: 'broken', message: `rollback: ${String(cause)}` }
    }
    return { kind: 'undone', full: isFull(error), message: String(error), code: sqliteCode(error) }
  }

  #writeSets(cells: readonly Param[]): readonly SetOutcome[] | undefined {
    const outcomes: SetOutcome[] = []
    let remarkable = false
    let at = 0
    while (at < cells.length) {
      const end = at + 1 + Number(cells[at])
      const outcome = this.#writeSet(cells, at + 1, end)
      if (outcome !== 0) remarkable = true
      outcomes.push(outcome)
      at = end
    }
    return remarkable ? outcomes : undefined
  }

  #writeSet(cells: readonly Param[], start: number, end: number): SetOutcome {
    this.#savepoint.run()
    const outcome = this.#runWrites(cells, start, end)
    if (outcome !== 0 && !('rows' in outcome)) this.#undo.run()
    this.#release.run()
    return outcome
  }

  #runWrites(cells: readonly Param[], start: number, end: number): SetOutcome {
    const rows: (readonly unknown[] | undefined)[] = []
    let returned = false
    for (let at = start, write = 0; at < end; write++) {
      const expected = Number(cells[at + 1])
      const next = at + 3 + Number(cells[at + 2])
      const result = this.#run(Number(cells[at]), cells.slice(at + 3, next))
      at = next
      if (typeof result === 'number') {
        if (expected !== ANY_ROWS && result !== expected) return { conflict: write }
        rows.push(undefined)
      } else if ('message' in result) {
        return { write, message: result.message, code: result.code }
      } else {
        if (expected !== ANY_ROWS && result.length !== expected) return { conflict: write }
        rows.push(result)
        returned = true
      }
    }
    return returned ? { rows } : 0
  }

  /** The number of changed rows, or the rows themselves, or why this one write failed. */
  #run(
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
