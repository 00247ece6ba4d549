/** Work that takes turns, so that what costs memory or a thread is done a few at a time. */
export interface Turns {
  /** Runs the task when its turn comes; `busy` where too many wait already. Rejects with the signal's reason where that
   *  is aborted before: who has gone keeps no place in the queue. A task that runs is not stopped. */
  take<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T | 'busy'>
}

/** `atOnce` tasks run, `waiting` more wait in the order in which they came. */
export function openTurns({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }): Turns {
  const queue = new Set<() => void>()
  let running = 0

  function turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        queue.delete(start)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      queue.add(start)
    })
  }

  /** Whoever waits longest takes over the place of the task that ended. */
  function pass(): void {
    const [next] = queue
    if (next === undefined) running--
    else {
      queue.delete(next)
      next()
    }
  }

  return {
    async take(task, signal) {
      signal?.throwIfAborted()
      if (running < atOnce) running++
      else if (queue.size >= waiting) return 'busy'
      else await turn(signal)
      try {
        return await task()
      } finally {
        pass()
      }
    },
  }
}
