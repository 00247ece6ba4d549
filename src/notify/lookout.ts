/** Somebody who looks for work: at once, each so often, and when told that there may be some; one look at a time. */
export interface Lookout {
  /** There may be something to do. */
  wake(): void
  /** Begins no look any more; waits for the one at hand. */
  close(): Promise<void>
}

/** `look` answers whether there is more to do at once; it is to end soon after `stop` aborts. */
export function openLookout({
  look,
  pollMs,
  onError,
}: {
  readonly look: (stop: AbortSignal) => Promise<boolean>
  readonly pollMs: number
  readonly onError: (error: unknown) => void
}): Lookout {
  const stop = new AbortController()
  let looking: Promise<void> | undefined
  let again = false

  /** Looks once more when it is called while it looks. */
  function wake(): void {
    again = true
    looking ??= (async () => {
      while (again && !stop.signal.aborted) {
        again = false
        if (await look(stop.signal)) again = true
      }
    })()
      .catch(onError)
      .finally(() => {
        looking = undefined
      })
  }

  const poll = setInterval(wake, pollMs)
  wake()
  return {
    wake,
    async close() {
      stop.abort()
      clearInterval(poll)
      await looking
    },
  }
}
