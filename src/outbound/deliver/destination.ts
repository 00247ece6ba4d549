import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'

/** What waits for one destination, and how many connections serve it. */
export interface Destination {
  add(delivery: ClaimedDelivery): void
  /** The next delivery for a connection that is free; undefined once `idleMs` passed without one. */
  next(idleMs: number): Promise<ClaimedDelivery | undefined>
  /** A connection ended after work, and another takes its place if something waits. */
  ended(): void
  /** A connection could not be opened, or broke before it had been of use. Where there are others, the destination
   *  makes do with those; where there is none, all that waits is returned: nothing here can be attempted. */
  failed(): ClaimedDelivery[] | undefined
  /** Takes out all that waits. */
  drain(): ClaimedDelivery[]
  readonly empty: boolean
  /** Ends the idle connections, and from now on each that becomes idle. */
  close(): void
}

/** `connect` is called for each connection that should be opened; what it starts ends with `ended` or `failed`. */
export function openDestination(most: number, connect: () => void): Destination {
  let waiting: ClaimedDelivery[] = []
  const idle: ((delivery: ClaimedDelivery | undefined) => void)[] = []
  let closed = false
  /** Open or being opened. */
  let connections = 0
  let limit = most

  function grow(): void {
    if (waiting.length === 0 || connections >= limit) return
    connections++
    connect()
  }

  function drain(): ClaimedDelivery[] {
    const drained = waiting
    waiting = []
    return drained
  }

  return {
    add(delivery) {
      // The connection that went idle last is the warmest, and the others may time out.
      const free = idle.pop()
      if (free) return free(delivery)
      waiting.push(delivery)
      grow()
    },
    next(idleMs) {
      const delivery = waiting.shift()
      if (delivery || closed) return Promise.resolve(delivery)
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
      limit = Math.min(most, limit + 1)
      // One in its place, and one more: what a failure took away comes back little by little.
      grow()
      grow()
    },
    failed() {
      connections--
      limit = Math.max(1, connections)
      return connections > 0 ? undefined : drain()
    },
    drain,
    get empty() {
      return connections === 0 && waiting.length === 0
    },
    close() {
      closed = true
      for (const give of idle.splice(0)) give(undefined)
    },
  }
}
