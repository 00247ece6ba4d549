import type { Inbox, SearchResult } from './inbox.ts'
import { matchesSearch, type SearchQuery } from './search-query.ts'

/** Searches that may wait for the message they ask for, so that a test needs no polling. */
export interface SearchWait {
  /** Answers as soon as something matches, and at the latest when `signal` says so. `look` searches once, for `query`.
   *  `busy`: too many wait already, or `look` says so. */
  search<R extends SearchResult>(
    query: SearchQuery,
    look: () => Promise<R | 'busy'>,
    signal: AbortSignal,
  ): Promise<R | 'busy'>
}

export function searchWait(inbox: Inbox, maxWaiters: number): SearchWait {
  let waiters = 0
  return {
    async search(query, look, signal) {
      if (waiters >= maxWaiters) return 'busy'
      waiters++
      // Listening before looking, so that nothing arrives in between.
      const arrival = Promise.withResolvers<void>()
      const ended = () => arrival.resolve()
      signal.addEventListener('abort', ended)
      const unsubscribe = inbox.onMessage((message) => {
        if (matchesSearch(query, message)) arrival.resolve()
      })
      try {
        const result = await look()
        if (result === 'busy' || result.count > 0 || signal.aborted) return result
        await arrival.promise
        return await look()
      } finally {
        unsubscribe()
        signal.removeEventListener('abort', ended)
        waiters--
      }
    },
  }
}
