/** The store: two engines behind one interface. In: write sets and keyed reads. Out: rows.
 *  Promise: when `commit()` resolves with `ok`, every write of the set is on disk, or on a conflict none is;
 *  when it rejects, nothing was acknowledged. No transaction ever waits for JavaScript. */
export interface Store {
  readonly engine: 'sqlite' | 'postgres'
  /** Runs the set as one transaction. A write whose number of changed rows differs from its expectation undoes the
   *  whole set and is named as the conflict. Throws StoreFull (nothing written, may recover) or whatever the engine
   *  threw for a bug. An I/O error of the database does not come back: the process ends (promise 1). */
  commit(set: readonly Write[]): Promise<CommitResult>
  /** The first row of a keyed read that an index answers. On SQLite it runs at once on the calling thread. */
  get<R>(query: Statement<R>, params: readonly Param[]): Promise<R | undefined>
  /** All rows; for scans. On SQLite it runs in a reader process. Ended after 5 s, so that it cannot pin the WAL:
   *  throws ScanTimeout. */
  all<R>(query: Statement<R>, params: readonly Param[]): Promise<R[]>
  close(): Promise<void>
}

/** Told of each commit that reached the disk: how long that took, and how many sets shared it. */
export type OnCommit = (ms: number, sets: number) => void

export type Param = string | number | null | Uint8Array

/** A named statement. SQL is written once with `$1`, `$2` … and, where the engines differ, twice side by side.
 *  `{now}` stands for the database's own clock in milliseconds. `R` is the shape of its rows, stated beside the SQL. */
export interface Statement<R = never> {
  readonly name: string
  readonly sqlite: string
  readonly postgres: string
  readonly row?: R
}

export function statement<R = never>(
  name: string,
  sql: string | { readonly sqlite: string; readonly postgres: string },
): Statement<R> {
  const both = typeof sql === 'string' ? { sqlite: sql, postgres: sql } : sql
  return { name, ...both }
}

/** One write of a set. `rows` is the number of rows it must change (or return); absent means any number. */
export interface Write {
  readonly statement: Statement<unknown>
  readonly params: readonly Param[]
  readonly rows?: number
}

export type CommitResult =
  /** `rows[i]` holds what write `i` returned (`returning …`), empty for the others. */
  | { readonly ok: true; readonly rows: readonly (readonly unknown[])[] }
  /** The name of the first statement whose expectation failed. */
  | { readonly ok: false; readonly conflict: string }

/** The disk is full: nothing was written, and a later commit may work. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'
}
