import type { Store, Write } from '#store/store.ts'

/** Rows of one commit, and commits of one sweep: neither holds up mail for long. */
export const SWEPT_ROWS = 500
const COMMITS = 20

/** One sweep. It is given deletions that take at most `SWEPT_ROWS` and return them, one after another, and repeats each
 *  until nothing is left for it. False where that was not reached: the commits of the sweep are used up, or one found a
 *  conflict. */
export function sweepInTurns(store: Store): (deletion: Write) => Promise<boolean> {
  let commits = 0
  return async (deletion) => {
    while (commits++ < COMMITS) {
      const swept = await store.commit([deletion])
      if (!swept.ok || (swept.rows[0]?.length ?? 0) < SWEPT_ROWS) return swept.ok
    }
    return false
  }
}
