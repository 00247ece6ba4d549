/** Places for what runs at once: of each key so many, and of all together so many. Who waits comes in turn, apart from
 *  those whose key is full. */
export interface Slots {
  /** Resolves with what gives the place back, or undefined once `signal` aborts. */
  take(key: string, signal: AbortSignal): Promise<(() => void) | undefined>
  /** The same for who does not wait: undefined where nothing is free now. */
  tryTake(key: string): (() => void) | undefined
}

interface Waiting {
  readonly key: string
  readonly start: () => void
}

export function openSlots(limits: { readonly perKey: number; readonly total: number }): Slots {
  const taken = new Map<string, number>()
  const waiting = new Set<Waiting>()
  let total = 0

  const hasRoom = (key: string) => total < limits.total && (taken.get(key) ?? 0) < limits.perKey

  function occupy(key: string): () => void {
    total += 1
    taken.set(key, (taken.get(key) ?? 0) + 1)
    return () => {
      total -= 1
      const left = (taken.get(key) ?? 1) - 1
      if (left > 0) taken.set(key, left)
      else taken.delete(key)
      for (const next of waiting) {
        if (!hasRoom(next.key)) continue
        waiting.delete(next)
        next.start()
        break
      }
    }
  }

  return {
    tryTake: (key) => (hasRoom(key) ? occupy(key) : undefined),

    take(key, signal) {
      if (signal.aborted) return Promise.resolve(undefined)
      if (hasRoom(key)) return Promise.resolve(occupy(key))
      return new Promise((resolve) => {
        const give = () => {
          waiting.delete(mine)
          resolve(undefined)
        }
        const mine: Waiting = {
          key,
          start() {
            signal.removeEventListener('abort', give)
            resolve(occupy(key))
          },
        }
        waiting.add(mine)
        signal.addEventListener('abort', give, { once: true })
      })
    },
  }
}
