/** A process that reads from SQLite and nothing else. In: one query at a time. Out: its rows, or why there are none.
 *  A process and not a thread, because a thread that is inside SQLite cannot be ended before SQLite comes back. */
import type { Param } from './store.ts'
import { openToRead } from './sqlite-file.ts'
import { StatementCache } from './statement-cache.ts'

export interface ScanRequest {
  readonly sql: string
  readonly params: readonly Param[]
}

export type ScanAnswer =
  | { readonly rows: readonly unknown[] }
  | { readonly message: string; readonly code: number | undefined }

