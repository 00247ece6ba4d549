import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { FairLine } from './fair-line.ts'
import type { Pace } from './pace.ts'

/** What waits for one destination under one demand, and the connections that serve it. */
export interface Destination {
  readonly pace: Pace
  add(delivery: ClaimedDelivery): void
  /** The next delivery for a connection that is free; undefined once `idleMs` passed without one, or at once where
   *  others wait for its place. */
  next(idleMs: number): Promise<ClaimedDelivery | undefined>
  /** A connection ended after work, and another takes its place if something waits. */
  ended(): void
  /** A connection could not be opened, or broke before it had been of use. Where there are others, the destination
   *  makes do with those; where there is none, all that waits is returned: nothing here can be attempted. `unmet`: the
   *  host was there, and the connection not what it had to be. */
  failed(how?: 'refused' | 'unmet'): ClaimedDelivery[] | undefined
  /** Others wait for a place that connections of this one have. */
  readonly crowdedOut: boolean
  /** Takes out all that waits. */
  drain(): ClaimedDelivery[]
  /** It is given up: nothing waits, and no connection is left. */
  dispose(): void
  readonly empty: boolean
  /** Ends the idle connections, and from now on each that becomes idle. */
  close(): void
}

/** `connect` is called for each connection that should be opened; what it starts ends with `ended` or `failed`. */
export function openDestination(pace: Pace, connect: () => void): Destination {
  const waiting = new FairLine()
  const idle: ((delivery: ClaimedDelivery | undefined) => void)[] = []
  let closed = false
  /** Open or being opened. */
  let connections = 0
  /** While connections are not what they have to be, this many are tried at most. */
  let trusted = Number.POSITIVE_INFINITY
  let asked = false

  const leave = pace.join(() => {
    const free = idle.shift()
    free?.(undefined)
    return free !== undefined
  })

  function grow(): void {
    if (waiting.length === 0 || asked || connections >= trusted) return
    if (!pace.take(placeFree)) {
      asked = true
      return
    }
    connections++
    connect()
  }

  function placeFree(): void {
    asked = false
    grow()
    // It goes on asking while more waits than there are connections to come for it.
    if (waiting.length > connections) grow()
  }

  return {
    pace,
    add(delivery) {
      // The connection that went idle last is the warmest, and the others may time out.
      const free = idle.pop()
      if (free) return free(delivery)
      waiting.add(delivery)
      grow()
    },
    next(idleMs) {
      if (trusted < Number.POSITIVE_INFINITY) {
        trusted = Number.POSITIVE_INFINITY
        grow()
      }
      const delivery = waiting.next()
      if (asked && waiting.length === 0) {
        asked = false
        pace.withdraw(placeFree)
      }
      if (delivery || closed || pace.wantedBesides(placeFree)) return Promise.resolve(delivery)
      return new Promise((resolve) => {
        const give = (next: ClaimedDelivery | undefined) => {
          clearTimeout(timer)
          resolve(next)
        }
        const timer = setTimeout(() => {
          idle.splice(idle.indexOf(give), 1)
          resolve(undefined)
        }, idleMs)
        idle.push(give)
      })
    },
    ended() {
      connections--
      pace.giveBack('worked')
      grow()
    },
    failed(how = 'refused') {
      connections--
      // Before the place is offered on: what waits here must not be tried again at once.
      const left = connections > 0 ? undefined : waiting.drain()
      if (how === 'unmet') trusted = Math.max(1, connections)
      pace.giveBack(how === 'refused' ? 'failed' : 'worked')
      return left
    },
    get crowdedOut() {
      return pace.wantedBesides(placeFree)
    },
    drain: () => waiting.drain(),
    dispose: leave,
    get empty() {
      return connections === 0 && waiting.length === 0
    },
    close() {
      closed = true
      for (const give of idle.splice(0)) give(undefined)
    },
  }
}
