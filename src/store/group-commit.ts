import { checkArity, type SqlText, sqlText } from './sql-text.ts'
import { StatementFailed } from './statement-failed.ts'
import {
  type CommitResult,
  type OnCommit,
  type Param,
  type Statement,
  StoreFull,
  type Write,
} from './store.ts'
import { ANY_ROWS, type BatchOutcome, type SetOutcome, type WriteBatch } from './write-batch.ts'

/** A batch past one of these is closed: its sets all wait for its slowest, and for one fsync. */
const BATCH_SETS = 256
const BATCH_BYTES = 8 * 1024 * 1024
/** Statements are constants of the program; more than these are SQL built out of data. */
const MOST_STATEMENTS = 4096

interface Waiting {
  readonly set: readonly Write[]
  readonly resolve: (result: CommitResult) => void
  readonly reject: (error: Error) => void
}

interface Batch extends WriteBatch {
  readonly statements: string[]
  readonly cells: Param[]
  readonly blobs: ArrayBuffer[]
  readonly waiting: Waiting[]
  bytes: number
}

interface Numbered extends SqlText {
  readonly number: number
}

/** Collects the sets that arrive while a batch is with the writer, and hands them over as the next one. */
export class GroupCommit {
  readonly #post: (batch: WriteBatch, transfer: ArrayBuffer[]) => void
  readonly #onCommit: OnCommit | undefined
  readonly #numbered = new Map<string, Numbered>()
  readonly #queue: Batch[] = []
  #inFlight: Batch | undefined
  #flushing = false
  /** By `performance.now()`, of the batch in flight. */
  #sentAt = 0
  #ended: Error | undefined
  #drained: (() => void) | undefined

  constructor(post: (batch: WriteBatch, transfer: ArrayBuffer[]) => void, onCommit?: OnCommit) {
    this.#post = post
    this.#onCommit = onCommit
  }

  /** The parameters are copied before this returns. */
  commit(set: readonly Write[]): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended
      const batch = this.#openBatch()
      this.#encode(batch, set)
      batch.waiting.push({ set, resolve, reject })
      this.#flushSoon()
    })
  }

  /** The writer's answer to the batch in flight. */
  settle(outcome: BatchOutcome): void {
    const batch = this.#inFlight
    if (batch === undefined || outcome.kind === 'broken') return
    this.#inFlight = undefined
    if (outcome.kind === 'written') this.#onCommit?.(performance.now() - this.#sentAt, batch.waiting.length)
    for (const [index, waiting] of batch.waiting.entries()) {
      if (outcome.kind === 'written') answer(waiting, outcome.sets?.[index] ?? 0)
      else waiting.reject(undoneError(outcome))
    }
    if (this.#queue.length > 0) this.#flushSoon()
    else this.#drained?.()
  }

  /** From now on every set is refused with this error, and so are those that wait. */
  fail(error: Error): void {
    this.#ended = error
    for (const batch of [this.#inFlight, ...this.#queue.splice(0)]) {
      for (const waiting of batch?.waiting ?? []) waiting.reject(error)
    }
    this.#inFlight = undefined
    this.#drained?.()
  }

  /** Takes no more sets and resolves when those taken are answered. */
  async end(error: Error): Promise<void> {
    this.#ended ??= error
    if (this.#inFlight === undefined && this.#queue.every(({ waiting }) => waiting.length === 0)) return
    await new Promise<void>((resolve) => {
      this.#drained = resolve
    })
  }

  /** Not at once: whatever else this turn of the loop commits goes in the same batch. (To linger longer was measured
   *  and gains nothing.) One at a time: a second batch in flight would be answered with the outcome of the first. */
  #flushSoon(): void {
    if (this.#inFlight !== undefined || this.#flushing) return
    this.#flushing = true
    setImmediate(this.#flush)
  }

  readonly #flush = () => {
    this.#flushing = false
    const batch = this.#queue.shift()
    if (batch === undefined) return
    this.#inFlight = batch
    this.#sentAt = performance.now()
    this.#post({ statements: batch.statements, cells: batch.cells }, batch.blobs)
  }

  #openBatch(): Batch {
    const last = this.#queue.at(-1)
    if (last !== undefined && last.waiting.length < BATCH_SETS && last.bytes < BATCH_BYTES) return last
    const batch: Batch = { statements: [], cells: [], blobs: [], waiting: [], bytes: 0 }
    this.#queue.push(batch)
    return batch
  }

  #encode(batch: Batch, set: readonly Write[]): void {
    const { cells, blobs } = batch
    const start = cells.length
    const firstBlob = blobs.length
    try {
      cells.push(0)
      for (const { statement, params, rows } of set) {
        const { number, arity } = this.#number(batch, statement)
        checkArity(statement, arity, params.length)
        cells.push(number, rows ?? ANY_ROWS, arity)
        for (const param of params) cells.push(this.#cell(batch, statement, param))
      }
      cells[start] = cells.length - start - 1
    } catch (error) {
      cells.length = start
      blobs.length = firstBlob
      throw error
    }
  }

  #cell(batch: Batch, statement: Statement<unknown>, param: Param): Param {
    if (typeof param === 'string' || param === null) return param
    if (typeof param === 'number') {
      if (Number.isFinite(param)) return param
    } else if (param instanceof Uint8Array) {
      // A view would drag its whole slab through the clone; a copy of its own changes hands for nothing.
      const own = new Uint8Array(param)
      batch.blobs.push(own.buffer)
      batch.bytes += own.length
      return own
    }
    throw new TypeError(`statement "${statement.name}" got a parameter of type ${typeof param}`)
  }

  #number(batch: Batch, statement: Statement<unknown>): Numbered {
    const known = this.#numbered.get(statement.sqlite)
    if (known !== undefined) return known
    if (this.#numbered.size >= MOST_STATEMENTS) throw new Error('too many different statements')
    const numbered = { ...sqlText('sqlite', statement), number: this.#numbered.size }
    this.#numbered.set(statement.sqlite, numbered)
    batch.statements.push(numbered.text)
    return numbered
  }
}

function answer(waiting: Waiting, outcome: SetOutcome): void {
  if (outcome === 0) waiting.resolve({ ok: true, rows: noRows(waiting.set.length) })
  else if ('rows' in outcome) waiting.resolve({ ok: true, rows: outcome.rows.map((rows) => rows ?? NONE) })
  else if ('conflict' in outcome)
    waiting.resolve({ ok: false, conflict: nameOf(waiting.set, outcome.conflict) })
  else waiting.reject(new StatementFailed(nameOf(waiting.set, outcome.write), outcome.message, outcome.code))
}

function undoneError(outcome: BatchOutcome & { kind: 'undone' }): Error {
  if (outcome.full) return new StoreFull(outcome.message)
  return new Error(`the database took no batch: ${outcome.message}`)
}

function nameOf(set: readonly Write[], index: number): string {
  return set[index]?.statement.name ?? 'unknown'
}

const NONE: readonly unknown[] = Object.freeze([])
const EMPTY: (readonly (readonly unknown[])[])[] = []

/** Most sets return nothing; they share one frozen answer for each length. */
function noRows(length: number): readonly (readonly unknown[])[] {
  return (EMPTY[length] ??= Object.freeze(Array.from({ length }, () => NONE)))
}
