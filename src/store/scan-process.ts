/** A process that reads from SQLite and does nothing else. In: one query at a time. Out: its rows, or why there are
 *  none. A process and not a thread, because a thread inside SQLite cannot be ended before SQLite comes back. */
import type { StatementSync } from 'node:sqlite'
import { LRUCache } from 'lru-cache'
import { sqliteCode } from './sqlite-error.ts'
import { openToRead } from './sqlite-file.ts'
import type { Param } from './store.ts'

export interface ScanRequest {
  readonly sql: string
  readonly params: readonly Param[]
}

export type ScanAnswer =
  | { readonly rows: readonly unknown[] }
  | { readonly message: string; readonly code: number | undefined }

function serve(directory: string): void {
  const database = openToRead(directory)
  const prepared = new LRUCache<string, StatementSync>({ max: 256 })

  const answer = ({ sql, params }: ScanRequest): ScanAnswer => {
    try {
      let statement = prepared.get(sql)
      if (statement === undefined) {
        statement = database.prepare(sql)
        prepared.set(sql, statement)
      }
      return { rows: statement.all(...params) }
    } catch (error) {
      return { message: error instanceof Error ? error.message : String(error), code: sqliteCode(error) }
    }
  }

  process.on('message', (request: ScanRequest) => process.send?.(answer(request)))
  // The store's process ends this one, by closing the channel if it has died. A Ctrl-C reaches both at once.
  process.on('disconnect', () => process.exit(0))
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
}

const directory = process.argv[2]
if (process.send !== undefined && directory !== undefined) serve(directory)
