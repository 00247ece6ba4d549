import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from './clock.ts'

export interface Patience {
  /** Milliseconds between two looks. */
  readonly every: number
  /** Milliseconds after which the answer is false. */
  readonly within: number
  readonly signal: AbortSignal
}

/** Looks again and again until `check` holds. Rejects when the signal aborts or `check` throws. */
export async function until(
  check: () => boolean | Promise<boolean>,
  { every, within, signal }: Patience,
): Promise<boolean> {
  const end = monotonicMs() + within
  while (!(await check())) {
    if (monotonicMs() > end) return false
    await sleep(every, undefined, { signal })
  }
  return true
}
