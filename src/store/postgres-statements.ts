import { returnsRows, withExpectation } from './conflict-sql.ts'
import { type SqlText, sqlText } from './sql-text.ts'
import type { Statement } from './store.ts'

/** A statement under the name by which every connection prepares it. */
export interface NamedStatement extends SqlText {
  readonly prepared: string
  /** Whether what comes back is the statement's own rows, not those of the count around it. */
  readonly returns: boolean
}

/** Statements are constants of the program; more than these are SQL built out of data. */
const MOST_STATEMENTS = 4096

/** The statements of this process, numbered as they are first used. */
export class PostgresStatements {
  readonly #known = new Map<string, NamedStatement>()
  readonly #counted = new Map<string, NamedStatement>()

  /** The statement as it is written. */
  plain(statement: Statement<unknown>): NamedStatement {
    return this.#find(this.#known, statement, 's', (sql) => sql)
  }

  /** The statement with a check of its row count around it, for which it takes one parameter more. */
  counted(statement: Statement<unknown>): NamedStatement {
    return this.#find(this.#counted, statement, 'c', (sql) => withExpectation(statement.name, sql))
  }

  #find(
    known: Map<string, NamedStatement>,
    statement: Statement<unknown>,
    prefix: string,
    wrap: (sql: SqlText) => SqlText,
  ): NamedStatement {
    let named = known.get(statement.postgres)
    if (named === undefined) {
      if (known.size >= MOST_STATEMENTS) throw new Error('too many different statements')
      const sql = sqlText('postgres', statement)
      named = { ...wrap(sql), prepared: `${prefix}${known.size}`, returns: returnsRows(sql.text) }
      known.set(statement.postgres, named)
    }
    return named
  }
}
