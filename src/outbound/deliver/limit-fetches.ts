import type { Fetched, GuardedFetch } from '#net/guarded-fetch.ts'

/** The same fetch, done for `most` at a time; as many as `mostWaiting` wait for their turn, and whoever comes then is
 *  turned away. */
export function limitFetches(fetch: GuardedFetch, most: number, mostWaiting: number): GuardedFetch {
  const waiting: (() => void)[] = []
  let running = 0
  return async (url, request): Promise<Fetched> => {
    if (running === most) {
      if (waiting.length === mostWaiting)
        return { kind: 'failed', reason: 'aborted', detail: 'too many fetches wait' }
      // Whoever ends hands its place over.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await fetch(url, request)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
