import { LRUCache } from 'lru-cache'

/** How fast may be sent: by account, by sending domain, and to one recipient. In: who sends as what to whom. Out: taken,
 *  or how long to wait. Promise: over all nodes together, in any time t a key is given `count / perMs * t + count` at
 *  most, and once more `count` for each node that started in it; a message that alone is more than `count` waits until
 *  everything before it is made up for. Each of n nodes gives 1/n: for the 15 s in which a node that joined, or died, is
 *  not known of everywhere, by the old n. It costs memory alone, and no write: what must be exact across crashes is the
 *  daily quota. */
export interface Rates {
  /** Of all that apply, or of none. */
  take(sending: Sending): RateTaken | RateRefused
  /** The least that any key has left of each rate, from 0 to 1; 1 where nobody sends. */
  left(): readonly { readonly scope: RateScope; readonly share: number }[]
}

export interface Sending {
  readonly accountId: string
  /** The sending domain's name. */
  readonly domain: string
  /** Folded addresses of those that count. */
  readonly recipients: readonly string[]
}

/** So many recipients in so long. */
export interface Rate {
  readonly count: number
  readonly perMs: number
}

export type RateScope = 'account' | 'domain' | 'recipient'

export type RateLimits = Readonly<Partial<Record<RateScope, Rate>>>

export interface RateTaken {
  readonly ok: true
  /** Nothing was sent after all. */
  giveBack(): void
}

export interface RateRefused {
  readonly ok: false
  readonly scope: RateScope
  readonly rate: Rate
  /** Which domain or recipient; the account's id. */
  readonly key: string
  readonly retryAfterMs: number
}

export interface RatesOptions {
  readonly limits: RateLimits
  /** Live nodes, this one included. */
  readonly nodes: () => number
  /** Milliseconds that never go back. */
  readonly clock: () => number
}

/** Keys that are remembered of each scope. One that is forgotten begins with all of its rate. */
const KEYS: Readonly<Record<RateScope, number>> = { account: 10_000, domain: 20_000, recipient: 100_000 }

const NOTHING: RateTaken = { ok: true, giveBack: () => undefined }

export function openRates({ limits, nodes, clock }: RatesOptions): Rates {
  const buckets = SCOPES.flatMap((scope) => {
    const rate = limits[scope]
    return rate ? [{ scope, rate, until: new LRUCache<string, number>({ max: KEYS[scope] }) }] : []
  })

  return {
    take(sending) {
      if (buckets.length === 0 || sending.recipients.length === 0) return NOTHING
      const now = clock()
      const share = nodes()
      const wanted = buckets.flatMap(({ scope, rate, until }) =>
        wantedOf(scope, sending).map(({ key, count }) => {
          const costMs = (count * rate.perMs * share) / rate.count
          return { scope, rate, until, key, costMs, from: Math.max(now, until.get(key) ?? 0) }
        }),
      )
      let refused: RateRefused | undefined
      for (const { scope, rate, key, costMs, from } of wanted) {
        const waitMs = from === now ? 0 : from + Math.min(costMs, rate.perMs) - now - rate.perMs
        if (waitMs <= 0 || waitMs <= (refused?.retryAfterMs ?? 0)) continue
        refused = { ok: false, scope, rate, key: shown(key), retryAfterMs: Math.ceil(waitMs) }
      }
      if (refused) return refused
      for (const { until, key, costMs, from } of wanted) until.set(key, from + costMs)
      return {
        ok: true,
        giveBack() {
          for (const { until, key, costMs } of wanted) until.set(key, (until.get(key) ?? 0) - costMs)
        },
      }
    },

    left() {
      const now = clock()
      return buckets.map(({ scope, rate, until }) => {
        let fullest = 0
        for (const at of until.values()) fullest = Math.max(fullest, at - now)
        return { scope, share: Math.max(0, 1 - fullest / rate.perMs) }
      })
    },
  }
}

const SCOPES: readonly RateScope[] = ['account', 'domain', 'recipient']

function wantedOf(scope: RateScope, { accountId, domain, recipients }: Sending) {
  if (scope === 'account') return [{ key: accountId, count: recipients.length }]
  // One account's mail to somebody does not use up another's.
  if (scope === 'domain') return [{ key: `${accountId} ${domain}`, count: recipients.length }]
  return recipients.map((recipient) => ({ key: `${accountId} ${recipient}`, count: 1 }))
}

function shown(key: string): string {
  return key.slice(key.indexOf(' ') + 1)
}
