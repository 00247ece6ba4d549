import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'

/** What waits for one destination, and how many connections serve it. */
export interface Destination {
  add(delivery: ClaimedDelivery): void
  /** The next delivery for a connection that is free; undefined once `idleMs` passed without one. */
  next(idleMs: number): Promise<ClaimedDelivery | undefined>
  /** A connection is open and will ask for deliveries. */
  opened(): void
  /** A connection that had been open ended; opens another if something waits. */
  released(): void
  /** A connection could not be opened. Where others are, the destination makes do with those; where none is, all
   *  that waits is returned: nothing here can be attempted. */
  failed(): ClaimedDelivery[]
  /** Takes out all that waits. */
  drain(): ClaimedDelivery[]
  readonly empty: boolean
  /** Ends the idle connections. */
  close(): void
}

/** `connect` is called for each connection that should be opened; it must end with `released()`. */
export function openDestination(most: number, connect: () => void): Destination {
  let waiting: ClaimedDelivery[] = []
  const idle: ((delivery: ClaimedDelivery | undefined) => void)[] = []
  let connections = 0
  let open = 0
  let limit = most

  function grow(): void {
    if (waiting.length === 0 || connections >= limit) return
    connections++
    connect()
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
      if (delivery) return Promise.resolve(delivery)
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
    opened() {
      open++
    },
    released() {
      open--
      connections--
      grow()
    },
    failed() {
      connections--
      limit = Math.max(1, open)
      return open > 0 ? [] : this.drain()
    },
    drain() {
      const drained = waiting
      waiting = []
      return drained
    },
    get empty() {
      return connections === 0 && waiting.length === 0
    },
    close() {
      for (const give of idle.splice(0)) give(undefined)
    },
  }
}
