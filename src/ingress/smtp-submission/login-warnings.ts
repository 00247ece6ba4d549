import { LRUCache } from 'lru-cache'
import type { Log } from '#observe/log.ts'

/** What the operator reads of refused logins: the first few of each network, then one line a minute with their number,
 *  so that no guessing fills the disk. */
export interface LoginWarnings {
  refused(network: string, about: RefusedLogin): void
}

export interface RefusedLogin {
  readonly peer: string
  readonly fault: string
  /** Whose the token is, or was, where it is known. */
  readonly owner: string | undefined
  /** How long it waited. */
  readonly delayMs: number
}

const SHOWN_AT_ONCE = 5
const APART_MS = 60_000
const FORGOTTEN_MS = 15 * 60_000
// Strangers choose where they come from.
const NETWORKS_KEPT = 20_000

interface Shown {
  readonly lines: number
  readonly at: number
  /** Refusals since then. */
  readonly hidden: number
}

/** `now` in milliseconds. */
export function openLoginWarnings({
  log,
  now,
}: {
  readonly log: Log
  readonly now: () => number
}): LoginWarnings {
  const shown = new LRUCache<string, Shown>({
    max: NETWORKS_KEPT,
    ttl: FORGOTTEN_MS,
    ttlResolution: 0,
    perf: { now },
  })
  return {
    refused(network, about) {
      const { lines, at, hidden } = shown.get(network) ?? { lines: 0, at: 0, hidden: 0 }
      if (lines >= SHOWN_AT_ONCE && now() - at < APART_MS) {
        shown.set(network, { lines, at, hidden: hidden + 1 })
        return
      }
      shown.set(network, { lines: lines + 1, at: now(), hidden: 0 })
      // With those that were not shown before it.
      log.warn({ ...about, refusals: hidden + 1 }, 'submission: login refused')
    },
  }
}
