import type { PaceLimits } from './provider-limits.ts'

/** How hard one destination, the set of MX hosts, is pressed: connections at once and messages a second. What it says no
 *  to is taken back at once, by half; what it bears is offered again little by little. */
export interface Pace {
  readonly limits: PaceLimits
  /** Takes a place for a connection. False: there is none, and `whenFree` is called, once, when there is. */
  take(whenFree: () => void): boolean
  /** Waits for a place no longer. */
  withdraw(whenFree: () => void): void
  /** Whoever has idle connections lets one go when it is asked to, and says whether it had one. Out: leaves again. */
  join(letIdleGo: () => boolean): () => void
  /** A connection is gone. `worked`: it had been of use, so one more may be tried than before. */
  giveBack(how: 'worked' | 'failed'): void
  /** Others wait for a place: an idle connection should not keep its own. */
  readonly crowded: boolean
  /** Until the next message may go, ms; 0 for now. Each call is one message's turn. */
  turnMs(): number
  /** The destination dealt with a message, to the end or to a no that is about that message alone. */
  succeeded(): void
  /** It said that it gets too much: 421, or a reply about rate. */
  tooFast(): void
  /** No connection has a place, and nobody waits for one. */
  readonly unused: boolean
}

export interface PaceWorld {
  readonly limits: PaceLimits
  /** A clock that does not step, ms. */
  readonly clock: () => number
  /** Live nodes, among which every limit is shared out (promise 4). */
  readonly nodes: () => number
}

/** Replies of connections that were already under way speak of the same excess. */
const SAME_EXCESS_MS = 1000
const WINDOW_MS = 1000
const LEAST_PER_SECOND = 1 / 30
/** With each message that is taken the rate grows by this; after a hundred it has more than doubled. */
const GROWTH = 1.01
/** A destination that bears so many a second sets no rate. */
const UNLIMITED_PER_SECOND = 200

export function openPace({ limits, clock, nodes }: PaceWorld): Pace {
  const most = () => Math.max(1, Math.floor(limits.connections / Math.max(1, nodes())))
  const mostPerSecond = () => limits.messagesPerSecond / Math.max(1, nodes())
  const waiting = new Set<() => void>()
  const members = new Set<() => boolean>()
  let taken = 0
  let limit = Number.POSITIVE_INFINITY
  /** Messages a second, set by what the destination said. */
  let learned = Number.POSITIVE_INFINITY
  let nextTurn = 0
  let slowedAt = Number.NEGATIVE_INFINITY
  let windowStart = clock()
  let inWindow = 0
  let lastRate = 0

  function mayTake(): boolean {
    return taken < Math.min(limit, most())
  }

  function offer(): void {
    // A limit that grew may have room for more than one.
    for (const whenFree of [...waiting]) {
      if (!mayTake()) return
      waiting.delete(whenFree)
      whenFree()
    }
  }

  /** Messages a second, as of late. */
  function currentRate(): number {
    const elapsed = clock() - windowStart
    return Math.max(lastRate, elapsed > 100 ? (inWindow / elapsed) * 1000 : inWindow)
  }

  function rate(): number {
    return Math.min(learned, mostPerSecond())
  }

  return {
    limits,
    take(whenFree) {
      if (!mayTake()) {
        waiting.add(whenFree)
        for (const letIdleGo of members) if (letIdleGo()) break
        return false
      }
      taken++
      return true
    },
    withdraw: (whenFree) => void waiting.delete(whenFree),
    join(letIdleGo) {
      members.add(letIdleGo)
      return () => void members.delete(letIdleGo)
    },
    giveBack(how) {
      taken--
      limit = how === 'failed' ? Math.max(1, Math.min(limit, taken)) : Math.min(most(), limit + 1)
      offer()
    },
    get crowded() {
      return waiting.size > 0
    },
    turnMs() {
      const perSecond = rate()
      if (perSecond === Number.POSITIVE_INFINITY) return 0
      const at = Math.max(clock(), nextTurn)
      nextTurn = at + 1000 / perSecond
      return at - clock()
    },
    succeeded() {
      const elapsed = clock() - windowStart
      if (elapsed >= WINDOW_MS) {
        lastRate = elapsed < 2 * WINDOW_MS ? (inWindow / elapsed) * 1000 : 0
        windowStart += elapsed
        inWindow = 0
      }
      inWindow++
      if (learned === Number.POSITIVE_INFINITY) return
      learned *= GROWTH
      if (learned > UNLIMITED_PER_SECOND) learned = Number.POSITIVE_INFINITY
    },
    tooFast() {
      if (clock() - slowedAt < SAME_EXCESS_MS) return
      slowedAt = clock()
      limit = Math.max(1, Math.floor(Math.min(limit, taken, most()) / 2))
      const borne = learned === Number.POSITIVE_INFINITY ? currentRate() : learned
      learned = Math.max(LEAST_PER_SECOND, borne / 2)
    },
    get unused() {
      return taken === 0 && waiting.size === 0
    },
  }
}
