/** The engine refused a statement: a bug of ours, or a constraint that concurrency broke. The set was undone. Names
 *  the statement and says what the engine said, but carries none of the values, so that it may be logged. */
export class StatementFailed extends Error {
  override readonly name = 'StatementFailed'
  readonly statement: string
  /** SQLSTATE on PostgreSQL, the primary result code on SQLite. */
  readonly code: string | number | undefined

  constructor(statement: string, message: string, code: string | number | undefined) {
    super(`${statement}: ${message}`)
    this.statement = statement
    this.code = code
  }
}
