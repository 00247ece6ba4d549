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
  /** The earliest wish for a poll after the one that is under way or already set. */
  let wakeAt = Number.POSITIVE_INFINITY

  function schedule(at: number): void {
    clearTimeout(timer)
    const delay = Math.max(MIN_GAP_MS, Math.min(POLL_MS, at - now()))
    dueAt = now() + delay
    timer = setTimeout(run, delay)
  }

  function run(): void {
    if (wakeAt <= now()) wakeAt = Number.POSITIVE_INFINITY
    polling = poll()
      .catch((error: unknown) => log.error({ err: error }, 'queue: polling failed, trying again'))
      .finally(() => {
        polling = undefined
        if (!stopped) schedule(wakeAt)
        wakeAt = Number.POSITIVE_INFINITY
      })
  }

  return {
    wake(at = now()) {
      if (stopped) return
      if (!polling && (timer === undefined || at < dueAt)) schedule(at)
      else wakeAt = Math.min(wakeAt, at)
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await polling
    },
  }
}
