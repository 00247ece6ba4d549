import { LRUCache } from 'lru-cache'
import { addressKey } from './address-range.ts'

/** How many wrong passwords are heard before the next one has to wait. Counted in this process alone, for as many
 *  addresses and networks as it remembers; whoever is signed in stays so. */
export interface SignInLimits {
  /** Takes one attempt; out: 0, or in how many milliseconds to try again. */
  take(email: string, address: string): number
  /** The attempt was none at guessing. */
  giveBack(email: string, address: string): void
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
  taken: number
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

  function windowOf(key: string): Window {
    const now = clock()
    const found = windows.get(key)
    // A clock that stepped back begins a new one, too.
    if (found && now < found.since + WINDOW_MS && now >= found.since) return found
    const made = { since: now, taken: 0 }
    windows.set(key, made)
    return made
  }

  return {
    take(email, address) {
      const limits = limitsOf(email, address).map(([key, most]) => ({ window: windowOf(key), most }))
      const full = limits.filter(({ window, most }) => window.taken >= most)
      if (full.length > 0) {
        const ends = full.map(({ window }) => window.since + WINDOW_MS)
        return Math.max(1, Math.max(...ends) - clock())
      }
      for (const { window } of limits) window.taken += 1
      return 0
    },

    giveBack(email, address) {
      for (const [key] of limitsOf(email, address)) {
        const window = windowOf(key)
        if (window.taken > 0) window.taken -= 1
      }
    },
  }
}

/** What one subscriber has: an IPv4 address, or a /64 of IPv6. */
function networkOf(address: string): string {
  const key = addressKey(address) ?? address
  return key.startsWith(`${'0'.repeat(20)}ffff`) ? key : key.slice(0, 16)
}
