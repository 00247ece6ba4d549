import type { Cause } from '#model/event.ts'
import type { AttemptReport } from './attempt-event.ts'

/** Milliseconds until the next attempt. `delays` are the waits after the first, second … attempt; the last repeats.
 *  `random` in [0, 1) adds up to a quarter, so that a herd put off together does not come back together. */
export function backoff(delays: readonly number[], attempts: number, random: number): number {
  const delay = delays[Math.min(attempts, delays.length) - 1] ?? delays[0] ?? 60_000
  return Math.round(delay * (1 + random / 4))
}

const MINUTE_MS = 60_000
/** What greylists want a new sender to wait: five minutes, as a rule (RFC 6647 §5). */
const GREYLIST_MS = 5 * MINUTE_MS
/** Time for a host that may have taken the message to be done with it. */
const PERHAPS_TAKEN_MS = 15 * MINUTE_MS
const LONGEST_ASKED_MS = 60 * MINUTE_MS

/** The least wait before the next attempt after this one, in ms, whatever the schedule says: what the host asked for,
 *  what greylisting is known to take, and longer where the message may have arrived. Never longer than the schedule's
 *  longest, which is the operator's word. */
export function leastWait(delays: readonly number[], cause: Cause, attempt: AttemptReport): number {
  const longest = Math.max(0, ...delays)
  if (attempt.perhapsTaken) return Math.min(PERHAPS_TAKEN_MS, longest)
  const asked = askedWait(attempt.reply ?? '')
  if (asked !== undefined) return Math.min(asked, LONGEST_ASKED_MS, longest)
  return cause === 'greylisted' ? Math.min(GREYLIST_MS, longest) : 0
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: MINUTE_MS, h: 60 * MINUTE_MS }
const ASKED =
  /\b(?:try(?: again)?|retry|come back|resend)\b[^.;\d]{0,40}?\b(?:in|after)\s{1,3}(\d{1,5})\s{0,3}(s|m|h)(?:ec|econd|in|inute|our|r)?s?\b/i

/** "Greylisted, try again in 300 seconds" says it better than any schedule. */
function askedWait(reply: string): number | undefined {
  const [, amount, unit = ''] = ASKED.exec(reply) ?? []
  return amount === undefined ? undefined : Number(amount) * (UNIT_MS[unit.toLowerCase()] ?? 1000)
}
