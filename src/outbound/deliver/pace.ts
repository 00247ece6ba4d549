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
  /** A connection is gone. `failed`: the host did not take it, or did not keep it, and gets no more than there are. */
  giveBack(how: 'worked' | 'failed'): void
  /** Others wait for a place: an idle connection should not keep its own. */
  wantedBesides(whenFree: () => void): boolean
  /** Until the next message may go, ms; 0 for now. Each call is one message's turn. */
  turnMs(): number
  /** The destination dealt with a message, to the end or to a no that is about that message alone. */
  succeeded(): void
  /** It said that it gets too much: a reply about rate. */
  tooFast(): void
  /** It ended a session with 421. That may be about rate too, but only where it took something before. */
  sentAway(): void
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
/** What one gets that says no to the first. */
const FIRST_PER_SECOND = 1
/** With each message that is taken the rate grows by so many a second: whatever it is, by a fifth of itself in a second.
 *  Close to where it was too much before, by much less. */
const GROWTH = 0.2
const CAREFUL_GROWTH = 0.02
const CAREFUL = { from: 0.75, to: 1.25 } as const
/** A destination that bears so many a second, and twice what was too much before, sets no rate. */
const UNLIMITED_PER_SECOND = 200
/** Each connection has to carry so many before one more is tried; many more before one that was refused is. */
const CARRIED_PER_CONNECTION = 10
const CARRIED_BEFORE_REFUSED = 100

export function openPace({ limits, clock, nodes }: PaceWorld): Pace {
  const most = () => Math.max(1, Math.floor(limits.connections / Math.max(1, nodes())))
  const mostPerSecond = () => limits.messagesPerSecond / Math.max(1, nodes())
  const waiting = new Set<() => void>()
  const members = new Set<() => boolean>()
  let taken = 0
  let limit = Number.POSITIVE_INFINITY
  /** So many were one too many. */
  let refusedAt = Number.POSITIVE_INFINITY
  /** Messages since the limit changed. */
  let carried = 0
  /** Messages a second, set by what the destination said. */
  let learned = Number.POSITIVE_INFINITY
  /** And what it was when that was too much. */
  let excess = Number.POSITIVE_INFINITY
  let isExcessKnown = false
  let takenSinceExcess = 0
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
    return Math.max(lastRate, (inWindow / Math.max(WINDOW_MS, clock() - windowStart)) * 1000)
  }

  function rate(): number {
    return Math.min(learned, mostPerSecond())
  }

  function shrinkTo(connections: number): void {
    limit = Math.max(1, Math.min(limit, connections))
    carried = 0
  }

  function growConnections(): void {
    if (limit >= most()) return
    carried++
    if (carried < limit * (limit + 1 === refusedAt ? CARRIED_BEFORE_REFUSED : CARRIED_PER_CONNECTION)) return
    limit++
    carried = 0
    offer()
  }

  function growRate(): void {
    if (learned === Number.POSITIVE_INFINITY) return
    const isNear = isExcessKnown && learned > excess * CAREFUL.from && learned < excess * CAREFUL.to
    learned += isNear ? CAREFUL_GROWTH : GROWTH
    if (learned > Math.max(UNLIMITED_PER_SECOND, 2 * excess)) learned = Number.POSITIVE_INFINITY
  }

  function slowDown(isAboutRate: boolean): void {
    if (clock() - slowedAt < SAME_EXCESS_MS) return
    slowedAt = clock()
    shrinkTo(Math.floor(Math.min(limit, taken, most()) / 2))
    if (takenSinceExcess === 0 && !isAboutRate) return
    // What it took while no rate was set, in a burst perhaps, says little of what it would take for long.
    isExcessKnown = learned !== Number.POSITIVE_INFINITY
    excess = isExcessKnown ? learned : currentRate() || 2 * FIRST_PER_SECOND
    learned = Math.max(LEAST_PER_SECOND, excess / 2)
    takenSinceExcess = 0
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
      if (how === 'failed') {
        refusedAt = Math.max(2, taken + 1)
        shrinkTo(taken)
      }
      offer()
    },
    wantedBesides: (whenFree) => waiting.size > (waiting.has(whenFree) ? 1 : 0),
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
      takenSinceExcess++
      growConnections()
      growRate()
    },
    tooFast: () => slowDown(true),
    sentAway: () => slowDown(false),
    get unused() {
      return taken === 0 && waiting.size === 0
    },
  }
}
