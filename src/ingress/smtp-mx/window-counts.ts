import { LRUCache } from 'lru-cache'

/** How often something happened to each of many keys in a span of time. */
export interface WindowCounts {
  /** Counts once more. Out: how often in the key's present window, this one included. */
  add(key: string): number
}

/** Strangers choose the keys; those heard of least recently are forgotten first. */
const MOST_KEYS = 50_000

/** A key's window begins with its first count and lasts `windowMs`. `now`: milliseconds that never go back. */
export function windowCounts({
  windowMs,
  now,
}: {
  readonly windowMs: number
  readonly now: () => number
}): WindowCounts {
  const windows = new LRUCache<string, { readonly since: number; count: number }>({ max: MOST_KEYS })

  return {
    add(key) {
      const window = windows.get(key)
      if (window && now() - window.since < windowMs) return ++window.count
      windows.set(key, { since: now(), count: 1 })
      return 1
    },
  }
}
