import { LRUCache } from 'lru-cache'
import { addressKey } from './address-range.ts'

/** How many wrong passwords are heard before the next one has to wait. Counted in this process alone, for as many
 *  addresses and networks as it remembers; whoever is signed in stays so. */
export interface SignInLimits {
  /** Takes one attempt; out: 0, or in how many milliseconds to try again. */
  take(email: string, address: string): number
  /** The attempt was none at guessing. */
  giveBack(email: string, address: string): void
  /** Whatever was guessed for this mail address was another password: it has a new one. */
  forget(email: string, address: string): void
}

const WINDOW_MS = 15 * 60_000
/** Of one mail address from one network: nobody else is locked out by whoever guesses elsewhere. */
const PER_PAIR = 10
/** Of one mail address from everywhere, against whoever has many networks. */
const PER_EMAIL = 100
/** From one network for all mail addresses: passwords that many people have are tried so. */
const PER_NETWORK = 100
const MOST_KEPT = 50_000

interface Window {
  readonly since: number
  readonly taken: number
}

export function openSignInLimits(clock: () => number): SignInLimits {
  const windows = new LRUCache<string, Window>({ max: MOST_KEPT })

  const limitsOf = (email: string, address: string): readonly (readonly [key: string, most: number])[] => {
    const [folded, network] = [email.toLowerCase(), networkOf(address)]
    return [
      [`pair ${network} ${folded}`, PER_PAIR],
      [`email ${folded}`, PER_EMAIL],
      [`network ${network}`, PER_NETWORK],
    ]
  }

  /** The one that lasts, if there is one. */
  function windowOf(key: string): Window | undefined {
    const now = clock()
    const found = windows.get(key)
    // A clock that stepped back begins a new one, too.
    return found && now < found.since + WINDOW_MS && now >= found.since ? found : undefined
  }

  return {
    take(email, address) {
      const limits = limitsOf(email, address)
      const ends = limits.flatMap(([key, most]) => {
        const window = windowOf(key)
        return window && window.taken >= most ? [window.since + WINDOW_MS] : []
      })
      // Nothing is remembered of who is refused, or a flood of made-up addresses would have the others forgotten.
      if (ends.length > 0) return Math.max(1, Math.max(...ends) - clock())
      for (const [key] of limits) {
        const { since, taken } = windowOf(key) ?? { since: clock(), taken: 0 }
        windows.set(key, { since, taken: taken + 1 })
      }
      return 0
    },

    giveBack(email, address) {
      for (const [key] of limitsOf(email, address)) {
        const window = windowOf(key)
        if (window && window.taken > 1) windows.set(key, { ...window, taken: window.taken - 1 })
        else windows.delete(key)
      }
    },

    forget(email, address) {
      // Of the network stays what it tried for others.
      const [pair, everywhere] = limitsOf(email, address)
      for (const limit of [pair, everywhere]) if (limit) windows.delete(limit[0])
    },
  }
}

/** What one subscriber has: an IPv4 address, or a /64 of IPv6. */
export function networkOf(address: string): string {
  const key = addressKey(address) ?? address
  return key.startsWith(`${'0'.repeat(20)}ffff`) ? key : key.slice(0, 16)
}
