import { LRUCache } from 'lru-cache'

/** How long a refused login waits for its answer: longer with each one from the same network or against the same
 *  account, so that guessing is slow wherever it comes from. Who logs in is not delayed, so nobody can lock another out;
 *  and it takes back half of what its network has on its account, so that one badly configured device does not spoil an
 *  office for long. */
export interface LoginDelays {
  /** Counts a refused login against each key; in ms, how long its answer has to wait. */
  refused(keys: readonly string[]): number
  succeeded(key: string): void
}

/** So many are answered at once: a person who mistypes, a deployment with yesterday's token. */
const FREE = 5
const FIRST_MS = 100
/** The next one waits this many times as long. */
const GROWTH = Math.SQRT2
const LONGEST_MS = 10_000
const FORGOTTEN_MS = 15 * 60_000
// Strangers choose where they come from.
const KEYS_KEPT = 20_000

/** `now` in milliseconds. */
export function openLoginDelays({ now }: { readonly now: () => number }): LoginDelays {
  const refusals = new LRUCache<string, number>({
    max: KEYS_KEPT,
    ttl: FORGOTTEN_MS,
    ttlResolution: 0,
    perf: { now },
  })

  function refusedOf(key: string): number {
    const count = (refusals.get(key) ?? 0) + 1
    refusals.set(key, count)
    return count <= FREE ? 0 : Math.min(LONGEST_MS, Math.round(FIRST_MS * GROWTH ** (count - FREE - 1)))
  }

  return {
    refused: (keys) => Math.max(0, ...keys.map(refusedOf)),
    succeeded(key) {
      const count = refusals.get(key)
      if (count === undefined) return
      if (count === 1) refusals.delete(key)
      // To the cache, no time left would mean for ever.
      else refusals.set(key, Math.floor(count / 2), { ttl: Math.max(1, refusals.getRemainingTTL(key)) })
    },
  }
}
