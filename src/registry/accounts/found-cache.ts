import { LRUCache } from 'lru-cache'

/** DESIGN, Store: caches of tokens live this long at most, counted from when the read began. */
const LIFE_MS = 5000

/** What was found a moment ago, read once for everybody who asks meanwhile. What was not found is not kept: strangers
 *  choose what is asked for. A read that was under way when its key was forgotten serves those who already waited for
 *  it, and nobody after. */
export interface FoundCache<T> {
  get(key: string, read: () => Promise<T | undefined>): Promise<T | undefined>
  forget(key: string): void
}

/** Keeps at most `max`; `clock` gives milliseconds. */
export function foundCache<T extends object>(options: {
  readonly max: number
  readonly clock: () => number
}): FoundCache<T> {
  const { max, clock } = options
  const found = new LRUCache<string, T>({ max, ttl: LIFE_MS, ttlResolution: 0, perf: { now: clock } })
  const reading = new Map<string, Promise<T | undefined>>()

  async function begin(key: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
    const start = clock()
    const answer = read()
    reading.set(key, answer)
    try {
      const value = await answer
      if (value !== undefined && reading.get(key) === answer) found.set(key, value, { start })
      return value
    } finally {
      if (reading.get(key) === answer) reading.delete(key)
    }
  }

  return {
    async get(key, read) {
      return found.get(key) ?? reading.get(key) ?? begin(key, read)
    },
    forget(key) {
      found.delete(key)
      reading.delete(key)
    },
  }
}
