import type { Verdict } from '#model/delivery.ts'

/** Who waits for the first verdict of which delivery (promise 5). Verdicts are announced after their commit, so what
 *  a waiter learns is on disk. The number of waiters is bounded; past it one simply does not wait. */
export interface Verdicts {
  /** Resolves with the verdicts that came within `ms`, keyed by delivery id; what is not in it is still queued. Must be
   *  called before the deliveries are handed on. */
  first(deliveryIds: readonly string[], ms: number): Promise<ReadonlyMap<string, Verdict>>
  announce(deliveryId: string, verdict: Verdict): void
  /** A shutdown: whoever waits goes on with what is known, and nobody waits any more. */
  release(): void
}

const MOST_WAITERS = 20_000

export function openVerdicts(): Verdicts {
  const waiting = new Map<string, Set<(id: string, verdict: Verdict) => void>>()
  const ends = new Set<() => void>()
  let released = false

  function leave(id: string, waiter: (id: string, verdict: Verdict) => void): void {
    const others = waiting.get(id)
    others?.delete(waiter)
    if (others?.size === 0) waiting.delete(id)
  }

  return {
    first(deliveryIds, ms) {
      const ids = new Set(deliveryIds)
      const verdicts = new Map<string, Verdict>()
      if (ids.size === 0 || ms === 0 || released || ends.size >= MOST_WAITERS)
        return Promise.resolve(verdicts)
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          for (const id of ids) leave(id, hear)
          ends.delete(done)
          resolve(verdicts)
        }
        const hear = (id: string, verdict: Verdict) => {
          verdicts.set(id, verdict)
          if (verdicts.size === ids.size) done()
        }
        const timer = setTimeout(done, ms)
        ends.add(done)
        for (const id of ids) {
          const others = waiting.get(id)
          if (others) others.add(hear)
          else waiting.set(id, new Set([hear]))
        }
      })
    },
    announce(deliveryId, verdict) {
      const waiters = waiting.get(deliveryId)
      if (!waiters) return
      waiting.delete(deliveryId)
      for (const hear of waiters) hear(deliveryId, verdict)
    },
    release() {
      released = true
      for (const done of ends) done()
    },
  }
}
