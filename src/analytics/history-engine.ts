import type { Param, Write } from '#store/store.ts'
import type { OutboxEvent } from './outbox-event.ts'

export type Row = Record<string, unknown>

/** What history is kept in. */
export interface HistoryEngine {
  readonly kind: 'sqlite' | 'postgres'
  /** Runs a query, with `$1`, `$2` … for its parameters. `counts` may take long; `rows` are what somebody waits for who
   *  reads the log. Throws ScanTimeout. */
  read(purpose: 'counts' | 'rows', sql: string, params: readonly Param[]): Promise<Row[]>
  /** Takes in a batch, in one commit with the guards, where the engine is that of the main store. False: a guard did not
   *  hold, and nothing was written. */
  take(events: readonly OutboxEvent[], guards: readonly Write[]): Promise<boolean>
  /** Forgets everything from before the start of a day. */
  forget(before: number): Promise<void>
  close(): Promise<void>
}
