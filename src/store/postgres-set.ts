import type pg from 'pg'
import type { NamedStatement, PostgresStatements } from './postgres-statements.ts'
import { readPostgresValue } from './postgres-value.ts'
import { checkArity } from './sql-text.ts'
import type { Param, Write } from './store.ts'

/** One write as it goes over the wire. */
interface Step {
  readonly statement: NamedStatement
  readonly values: (string | Buffer | null)[]
  readonly keepsRows: boolean
}

interface Column {
  readonly name: string
  readonly dataTypeID: number
}

/** Which statements a connection has parsed, as far as a successful set has shown. */
const parsedOn = new WeakMap<pg.Connection, Set<string>>()

/** A write set on the wire: every Bind and Execute and one Sync, sent at once. What stands before a Sync is one
 *  transaction ("Pipelining" in PostgreSQL's protocol chapter): the first error undoes it and skips the rest, and the
 *  ReadyForQuery that answers the Sync comes after the commit. So it never waits for JavaScript and needs no BEGIN.
 *  pg calls the `handle…` methods as the answers come in, as it does for pg-cursor. */
export class PostgresSet implements pg.Submittable {
  readonly #steps: readonly Step[]
  readonly #rows: (readonly unknown[])[] = []
  #newlyParsed: string[] = []
  #connection: pg.Connection | undefined
  #columns: readonly Column[] = []
  #current: unknown[] = []

  /** Throws where a parameter is missing or of a kind no column holds. */
  constructor(set: readonly Write[], statements: PostgresStatements) {
    this.#steps = set.map((write) => toStep(write, statements))
  }

  /** Called once, with the server's answer to the Sync or with what went wrong before it. */
  whenAnswered: (error: Error | undefined) => void = () => {}

  /** What each write returned; complete once the set was answered without an error. */
  get rows(): readonly (readonly unknown[])[] {
    return this.#rows
  }

  /** The position of the write that is being answered, or, after an error, that met it. */
  get position(): number {
    return this.#rows.length
  }

  readonly submit = (connection: pg.Connection): void => {
    this.#connection = connection
    const parsed = parsedOn.get(connection)
    connection.stream.cork()
    for (const { statement, values } of this.#steps) {
      if (!parsed?.has(statement.prepared)) this.#parse(connection, statement)
      connection.bind({ statement: statement.prepared, values }, true)
      connection.describe({ type: 'P' }, true)
      connection.execute(null, true)
    }
    connection.sync()
    connection.stream.uncork()
  }

  handleRowDescription(message: { readonly fields: readonly Column[] }): void {
    this.#columns = message.fields
  }

  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
    if (this.#steps[this.position]?.keepsRows !== true) return
    const row: Record<string, unknown> = {}
    for (const [index, column] of this.#columns.entries()) {
      const text = message.fields[index] ?? null
      row[column.name] = text === null ? null : readPostgresValue(column.dataTypeID, text)
    }
    this.#current.push(row)
  }

  handleCommandComplete(): void {
    this.#rows.push(this.#current)
    this.#current = []
  }

  handleReadyForQuery(): void {
    if (this.#connection !== undefined) {
      const parsed = parsedOn.get(this.#connection) ?? new Set()
      for (const name of this.#newlyParsed) parsed.add(name)
      parsedOn.set(this.#connection, parsed)
    }
    this.whenAnswered(undefined)
  }

  handleError(error: Error): void {
    this.whenAnswered(error)
  }

  #parse(connection: pg.Connection, { prepared, text }: NamedStatement): void {
    if (this.#newlyParsed.includes(prepared)) return
    this.#newlyParsed.push(prepared)
    // A failed set may have left the name behind or not; to close one that is not there is no error.
    connection.close({ type: 'S', name: prepared }, true)
    connection.parse({ name: prepared, text, types: [] }, true)
  }
}

function toStep({ statement, params, rows }: Write, statements: PostgresStatements): Step {
  const values = params.map((param) => toValue(statement.name, param))
  if (rows === undefined) {
    const plain = statements.plain(statement)
    checkArity(statement, plain.arity, values.length)
    return { statement: plain, values, keepsRows: plain.returns }
  }
  const counted = statements.counted(statement)
  checkArity(statement, counted.arity - 1, values.length)
  values.push(String(rows))
  return { statement: counted, values, keepsRows: counted.returns && rows > 0 }
}

export function toValue(statement: string, param: Param): string | Buffer | null {
  if (typeof param === 'string' || param === null) return param
  if (typeof param === 'number' && Number.isFinite(param)) return String(param)
  if (param instanceof Uint8Array) return Buffer.from(param.buffer, param.byteOffset, param.byteLength)
  throw new TypeError(`statement "${statement}" got a parameter of type ${typeof param}`)
}
