/** Crons: `scheduled()` of Workers, when it is due. In: the Workers that have crons. Out: a run for each minute that is
 *  due. Promise: a cron runs at most once for a minute, however many processes look and whenever they start; what was due
 *  while nobody looked is made up for if that is a few minutes ago, and otherwise left out; a cron that is new begins
 *  with the minute in which it is first seen. */
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Log } from '#observe/log.ts'
import { type Cron, isCron, parseCron } from '#registry/workers/cron.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { Store } from '#store/store.ts'
import { type CronKey, claimRun, forgetRun, readRuns } from './cron-run.ts'

export interface CronsWorld {
  readonly store: Store
  readonly workers: Pick<Workers, 'scheduled'>
  /** `at`: when it was due, in milliseconds since 1970. `unavailable`: it never began, and may a little later. */
  readonly run: (cron: CronKey, at: number) => Promise<'over' | 'unavailable'>
  readonly log: Log
  readonly now: () => number
  /** The rest is for tests. */
  readonly again?: { readonly times: number; readonly pauseMs: number }
}

export interface Crons {
  /** Starts what is due by now; once it resolves, that is claimed. */
  look(): Promise<void>
  /** Starts nothing any more, and waits for what runs. */
  close(): Promise<void>
}

const MINUTE_MS = 60_000
const LOOK_MS = 1000
/** Minutes. */
const MADE_UP_FOR = 3
const RUNS_PER_ACCOUNT = 20
const AT_A_STRETCH = 50
const PATTERNS_KEPT = 5000
/** A Worker without a place has one within the minute, or goes without. */
const AGAIN = { times: 10, pauseMs: 5000 }

export function openCrons(world: CronsWorld): Crons {
  const { store, workers, log, now, again = AGAIN } = world
  const running = new Set<Promise<void>>()
  /** What takes time is to read them. */
  const patterns = new LRUCache<string, Cron>({ max: PATTERNS_KEPT })
  const perAccount = new Map<string, number>()
  const stop = new AbortController()
  let seen = 0
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    const minute = Math.floor(now() / MINUTE_MS)
    const [scheduled, runs] = await Promise.all([workers.scheduled(), readRuns(store)])
    const wanted = new Set<string>()
    for (const { accountId, scriptName, crons } of scheduled) {
      for (const cron of crons) {
        const key = { accountId, scriptName, cron }
        wanted.add(nameOf(key))
        // An account may have thousands, which are not to hold up everything else.
        if (wanted.size % AT_A_STRETCH === 0) await setImmediate()
        for (const due of dueOf(key, runs.get(nameOf(key)), minute)) {
          if (stop.signal.aborted) return
          if ((await claimRun(store, key, due.minute)) && due.runs) start(key, due.minute * MINUTE_MS)
        }
      }
    }
    // Later than anybody could still take it for new.
    const gone = [...runs].filter(([name, run]) => !wanted.has(name) && run.minute < minute - MADE_UP_FOR)
    for (const [, run] of gone) await forgetRun(store, run)
  }

  /** `last`: the minute that was looked after last, none for one that is new, which leaves a mark at once. */
  function dueOf(
    { cron }: CronKey,
    last: { readonly minute: number } | undefined,
    minute: number,
  ): { readonly minute: number; readonly runs: boolean }[] {
    const parsed = patterns.get(cron) ?? parseCron(cron)
    if (!isCron(parsed)) return []
    patterns.set(cron, parsed)
    const isDue = (at: number) => parsed.matches(at * MINUTE_MS)
    if (!last) return [{ minute, runs: isDue(minute) }]
    const from = Math.max(last.minute + 1, minute - MADE_UP_FOR)
    const minutes = Array.from({ length: Math.max(0, minute - from + 1) }, (_, index) => from + index)
    return minutes.filter(isDue).map((at) => ({ minute: at, runs: true }))
  }

  function start(key: CronKey, at: number): void {
    const { accountId, scriptName, cron } = key
    const run = runSoon(key, at)
      .catch((error: unknown) => {
        log.error({ err: error, accountId, worker: scriptName, cron }, 'crons: a run failed inside')
      })
      .finally(() => running.delete(run))
    running.add(run)
  }

  async function runSoon(key: CronKey, at: number): Promise<void> {
    const { accountId, scriptName: worker, cron } = key
    for (let tries = 0; tries < again.times && !stop.signal.aborted; tries++) {
      if (tries > 0) await pause(again.pauseMs, stop.signal)
      if ((await runOnce(key, at)) === 'over') return
    }
    log.warn({ accountId, worker, cron, at }, 'crons: a Worker was not available when it was due')
  }

  async function runOnce(key: CronKey, at: number): Promise<'over' | 'unavailable'> {
    const { accountId } = key
    const others = perAccount.get(accountId) ?? 0
    if (others >= RUNS_PER_ACCOUNT) return 'unavailable'
    perAccount.set(accountId, others + 1)
    try {
      return await world.run(key, at)
    } finally {
      const left = (perAccount.get(accountId) ?? 1) - 1
      if (left > 0) perAccount.set(accountId, left)
      else perAccount.delete(accountId)
    }
  }

  /** One at a time: a store that is slow is not asked twice. */
  function lookOnce(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined
    })
    return looking
  }

  const timer = setInterval(() => {
    const minute = Math.floor(now() / MINUTE_MS)
    if (minute === seen || looking) return
    seen = minute
    lookOnce().catch((error: unknown) => log.error({ err: error }, 'crons: the look failed'))
  }, LOOK_MS)
  return {
    look: lookOnce,
    async close() {
      stop.abort()
      clearInterval(timer)
      await looking?.catch(() => undefined)
      await Promise.all(running)
    },
  }
}

function nameOf({ accountId, scriptName, cron }: CronKey): string {
  return JSON.stringify([accountId, scriptName, cron])
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, ms)
    signal.addEventListener('abort', over)
  })
}
