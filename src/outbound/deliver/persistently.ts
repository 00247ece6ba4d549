import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '#observe/log.ts'
import { StatementFailed } from '#store/statement-failed.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000

/** Does what has to be on disk, again and again while the store cannot take it: full, restarting, out of reach. Never
 *  rejects. `stopped`: the signal ended that. `impossible`: no repetition would mend it. */
export async function persistently(
  record: () => Promise<unknown>,
  {
    signal,
    log,
    about = {},
  }: {
    readonly signal: AbortSignal
    readonly log: Log
    /** Whose outcome it is, for the log. */
    readonly about?: object
  },
): Promise<'recorded' | 'stopped' | 'impossible'> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      await record()
      return 'recorded'
    } catch (error) {
      const impossible = isBug(error)
      log.error({ err: error, impossible, ...about }, 'deliver: an outcome could not be recorded')
      if (impossible) return 'impossible'
    }
    if (signal.aborted) return 'stopped'
    // Rejects when aborted; there is one more try then.
    await sleep(wait, undefined, { signal }).catch(() => undefined)
  }
}

/** SQLite's ERROR, CONSTRAINT, MISMATCH and RANGE; PostgreSQL's data exceptions, violations of constraints, and errors
 *  of syntax. */
const BUGS = /^(1|19|20|25|22...|23...|42...)$/

function isBug(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof StatementFailed && BUGS.test(String(error.code)))
}
