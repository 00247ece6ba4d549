import type { Param } from './store.ts'

/** What the store sends its writer thread: several sets in one flat array, because cloning nested arrays between
 *  threads costs several times as much. A set is the number of cells that follow in it, then for each write: the
 *  number of its statement, the rows expected of it or ANY_ROWS, how many parameters follow, and those. */
export interface WriteBatch {
  /** SQL that the writer has not seen before; it numbers statements in the order they arrive. */
  readonly statements: readonly string[]
  readonly cells: readonly Param[]
}

export const ANY_ROWS = -1

/** Rows by write, undefined where a write returned none. */
export type ReturnedRows = readonly (readonly unknown[] | undefined)[]

/** What became of one set. 0: written, no rows. `write` is the position of the write that failed. */
export type SetOutcome =
  | 0
  | { readonly rows: ReturnedRows }
  | { readonly conflict: number }
  | { readonly write: number; readonly message: string; readonly code: number | undefined }

/** What became of a batch. `written`: committed, with one outcome for each set, or none where each is 0.
 *  `undone`: nothing was written, but a later batch may be. `broken`: the database cannot be trusted any more. */
export type BatchOutcome =
  | { readonly kind: 'written'; readonly sets: readonly SetOutcome[] | undefined }
  | {
      readonly kind: 'undone'
      readonly full: boolean
      readonly message: string
      readonly code: number | undefined
    }
  | { readonly kind: 'broken'; readonly message: string }
