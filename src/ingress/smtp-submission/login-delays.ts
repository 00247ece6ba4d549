import { LRUCache } from 'lru-cache'

/** How long a login waits before anybody looks at it: longer with each refusal of the same network, and of the same
 *  secret from wherever, so that guessing is slow and nothing is learnt by hanging up early. Who has logged in from a
 *  network with a secret goes on without waiting, so nobody can lock out what runs already.
 *
 *  The limit of an account is that of each secret. Nothing else in a login names an account, the user name being the same
 *  for all; and to count against the account that a secret turned out to be of, revoked or expired, would tell a stranger
 *  by the wait that it had been one. A secret that nobody ever had counts just the same. */
export interface LoginDelays {
  /** In ms. */
  before(attempt: Attempt): number
  refused(attempt: Attempt): void
  /** Takes back half of what the network has on its account, once an hour for each secret: one badly configured device
   *  does not spoil an office for long, and a token of one's own does not buy guesses. */
  succeeded(attempt: Attempt): void
}

export interface Attempt {
  readonly network: string
  readonly secretHash: string
}

/** So many are looked at at once: a person who mistypes, a deployment with yesterday's token. */
const FREE = 5
const FIRST_MS = 100
/** The next one waits this many times as long. */
const GROWTH = Math.SQRT2
const LONGEST_MS = 10_000
const FORGOTTEN_MS = 15 * 60_000
const KNOWN_MS = 60 * 60_000
// Strangers choose where they come from, and what they guess.
const KEYS_KEPT = 20_000

/** `now` in milliseconds. */
export function openLoginDelays({ now }: { readonly now: () => number }): LoginDelays {
  const options = { max: KEYS_KEPT, ttlResolution: 0, perf: { now } }
  const ofNetworks = new LRUCache<string, number>({ ...options, ttl: FORGOTTEN_MS })
  // Apart, so that guesses, of which there are more, do not push out those who make them.
  const ofSecrets = new LRUCache<string, number>({ ...options, ttl: FORGOTTEN_MS })
  const known = new LRUCache<string, true>({ ...options, ttl: KNOWN_MS })

  function takeBackHalf(network: string): void {
    const count = ofNetworks.get(network)
    if (count === undefined) return
    if (count === 1) ofNetworks.delete(network)
    // To the cache, no time left would mean for ever.
    else
      ofNetworks.set(network, Math.floor(count / 2), {
        ttl: Math.max(1, ofNetworks.getRemainingTTL(network)),
      })
  }

  return {
    before(attempt) {
      if (known.has(keyOf(attempt))) return 0
      const { network, secretHash } = attempt
      return delayAfter(Math.max(ofNetworks.get(network) ?? 0, ofSecrets.get(secretHash) ?? 0))
    },
    refused(attempt) {
      const { network, secretHash } = attempt
      known.delete(keyOf(attempt))
      ofNetworks.set(network, (ofNetworks.get(network) ?? 0) + 1)
      ofSecrets.set(secretHash, (ofSecrets.get(secretHash) ?? 0) + 1)
    },
    succeeded(attempt) {
      if (!known.has(keyOf(attempt))) takeBackHalf(attempt.network)
      known.set(keyOf(attempt), true)
      ofSecrets.delete(attempt.secretHash)
    },
  }
}

function delayAfter(refusals: number): number {
  return refusals < FREE ? 0 : Math.min(LONGEST_MS, Math.round(FIRST_MS * GROWTH ** (refusals - FREE)))
}

function keyOf({ network, secretHash }: Attempt): string {
  return `${network} ${secretHash}`
}
