import { LRUCache } from 'lru-cache'
import { networkOf } from './sign-in-limits.ts'

/** How many passwords a network may say it forgot, whoever's: how many mails that makes for each of them is the store's to
 *  bound (`PasswordResets.make`). There is no count by mail address here: an answer that depended on one would tell who
 *  else asked about it. */
export interface PasswordResetLimits {
  /** Takes one; out: 0, or in how many milliseconds to try again. */
  take(address: string): number
}

const WINDOW_MS = 15 * 60_000
/** Behind a proxy on this machine all of the world is one network. */
const PER_NETWORK = 60
const MOST_KEPT = 50_000

export function openPasswordResetLimits(clock: () => number): PasswordResetLimits {
  const windows = new LRUCache<string, { readonly since: number; taken: number }>({ max: MOST_KEPT })
  return {
    take(address) {
      const network = networkOf(address)
      const now = clock()
      let window = windows.get(network)
      // A clock that stepped back begins a new one, too.
      if (!window || now >= window.since + WINDOW_MS || now < window.since) {
        window = { since: now, taken: 0 }
        windows.set(network, window)
      }
      if (window.taken >= PER_NETWORK) return window.since + WINDOW_MS - now
      window.taken += 1
      return 0
    },
  }
}
