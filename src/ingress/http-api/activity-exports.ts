/** How many exports run at once: each holds a page in memory, and a connection until its client has read it. */
const MOST = 8
/** So that no account takes all of them. */
const MOST_OF_ACCOUNT = 2

/** Places for exports. */
export interface ExportPlaces {
  /** Undefined where there is none. To be given back once, by what it answers. */
  take(accountId: string): (() => void) | undefined
}

export function openExportPlaces(): ExportPlaces {
  const running = new Map<string, number>()
  let all = 0
  const change = (accountId: string, by: 1 | -1) => {
    all += by
    const count = (running.get(accountId) ?? 0) + by
    if (count === 0) running.delete(accountId)
    else running.set(accountId, count)
  }
  return {
    take(accountId) {
      if (all >= MOST || (running.get(accountId) ?? 0) >= MOST_OF_ACCOUNT) return undefined
      change(accountId, 1)
      let isTaken = true
      return () => {
        if (isTaken) change(accountId, -1)
        isTaken = false
      }
    },
  }
}
