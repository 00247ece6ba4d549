import { sqliteCode } from '#store/sqlite-error.ts'
import { StatementFailed } from '#store/statement-failed.ts'

/** What events say was no good, and will be none the next time. */
export class ContentRefused extends Error {
  override readonly name = 'ContentRefused'
}

/** SQLSTATE classes 22 (data exception) and 54 (program limit exceeded). */
const OF_VALUES = /^(?:22|54)/
/** SQLite's result code for a value that is too long. */
const TOOBIG = 18

/** Whether an error comes of what events say, and so comes again however often they are tried: a value that the database
 *  does not take, or one that our own code does not expect. A full disk, a lost connection and a lack of time do not. */
export function isAboutContent(error: unknown): boolean {
  if (error instanceof StatementFailed) return OF_VALUES.test(String(error.code))
  if (sqliteCode(error) === TOOBIG) return true
  return [ContentRefused, TypeError, RangeError, SyntaxError].some((kind) => error instanceof kind)
}
