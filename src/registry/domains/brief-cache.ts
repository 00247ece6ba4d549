import { LRUCache } from 'lru-cache'

/** DESIGN, Store: caches of tokens and domains live this long at most. */
const LIFE_MS = 5000

/** What was read a moment ago, read once for everybody who asks meanwhile. A read that was under way when its key was
 *  forgotten serves those who already waited for it, and nobody after. */
export interface BriefCache<T> {
  get(key: string, read: () => Promise<T>): Promise<T>
  forget(key: string): void
}

/** At most `max` answers; `clock` gives milliseconds. */
export function briefCache<T>(options: {
  readonly max: number
  readonly clock: () => number
}): BriefCache<T> {
  const answers = new LRUCache<string, Promise<T>>({
    max: options.max,
    ttl: LIFE_MS,
    ttlResolution: 0,
    perf: { now: options.clock },
  })

  async function forgetFailure(key: string, answer: Promise<T>): Promise<void> {
    try {
      await answer
    } catch {
      // Whoever asked sees the error; the next one asks again.
      if (answers.peek(key) === answer) answers.delete(key)
    }
  }

  return {
    get(key, read) {
      const known = answers.get(key)
      if (known) return known
      const answer = read()
      answers.set(key, answer)
      void forgetFailure(key, answer)
      return answer
    },
    forget: (key) => void answers.delete(key),
  }
}
