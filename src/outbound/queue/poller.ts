import type { Log } from '#observe/log.ts'

/** Runs `poll` each second, and sooner where `wake` says so; never twice at once. */
export interface Poller {
  /** `at` in ms, by the same clock as `now`; left out, now. */
  wake(at?: number): void
  /** Resolves when a poll in progress has ended. */
  stop(): Promise<void>
}

const POLL_MS = 1000
const MIN_GAP_MS = 20

export function openPoller(options: { poll: () => Promise<void>; now: () => number; log: Log }): Poller {
  const { poll, now, log } = options
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let polling: Promise<void> | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let wakeAt = Number.POSITIVE_INFINITY

  function schedule(at: number): void {
    clearTimeout(timer)
    const delay = Math.max(MIN_GAP_MS, Math.min(POLL_MS, at - now()))
    dueAt = now() + delay
    timer = setTimeout(run, delay)
  }

  function run(): void {
    wakeAt = Number.POSITIVE_INFINITY
    polling = poll()
      .catch((error: unknown) => log.error({ err: error }, 'queue: polling failed, trying again'))
      .finally(() => {
        polling = undefined
        if (!stopped) schedule(wakeAt)
      })
  }

  return {
    wake(at = now()) {
      if (stopped) return
      if (polling) wakeAt = Math.min(wakeAt, at)
      else if (timer === undefined || at < dueAt) schedule(at)
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await polling
    },
  }
}
