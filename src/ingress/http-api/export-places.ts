import type { Fault } from './fault.ts'

/** How many exports run at once: each holds a page in memory, and a connection until its client has read it. */
const MOST = 8
/** The second one only while half of all places are free, so that a few accounts do not take them all. */
const MOST_OF_ACCOUNT = 2

/** Places for exports of one kind. */
export interface ExportPlaces {
  /** To be given back once, by what it answers; or why there is none. */
  take(accountId: string): (() => void) | NoPlace
}

export interface NoPlace extends Fault {
  readonly status: 429
  readonly detail: string
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
      const mine = running.get(accountId) ?? 0
      if (mine >= MOST_OF_ACCOUNT)
        return noPlace(
          `This account has ${mine} exports under way, the most that it may have; try again after one.`,
        )
      if (all >= (mine === 0 ? MOST : MOST / 2)) return noPlace('Too many exports at once; try again.')
      change(accountId, 1)
      let isTaken = true
      return () => {
        if (isTaken) change(accountId, -1)
        isTaken = false
      }
    },
  }
}

function noPlace(detail: string): NoPlace {
  return { status: 429, code: 10004, message: 'Too many requests', detail }
}
