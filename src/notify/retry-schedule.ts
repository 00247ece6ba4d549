const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Waits between attempts, as Standard Webhooks recommends them: more than three days in all. */
export const RETRY_MS: readonly number[] = [
  ...[5 * SECOND, 5 * MINUTE, 30 * MINUTE],
  ...[2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
]

/** From so many failures in a row on a webhook rests between attempts, whatever waits for it: what does not answer is
 *  asked by one event at a time and not by all of them. */
export const RESTING_AFTER = 5
const FIRST_REST_MS = 5 * SECOND
const LONGEST_REST_MS = 5 * MINUTE

/** How long until the next attempt after so many; undefined where there is none. `random` in [0, 1) spreads what failed
 *  together. */
export function retryWait(
  attempts: number,
  random: number,
  {
    retryMs = RETRY_MS,
    atLeastMs = 0,
  }: { readonly retryMs?: readonly number[]; readonly atLeastMs?: number },
): number | undefined {
  const ms = retryMs[attempts - 1]
  return ms === undefined ? undefined : Math.max(Math.round(ms * (1 + random / 10)), atLeastMs)
}

/** How long a webhook rests after so many failures in a row. */
export function restWait(failures: number, firstMs = FIRST_REST_MS): number {
  if (failures < RESTING_AFTER) return 0
  return Math.min(firstMs * 2 ** (failures - RESTING_AFTER), LONGEST_REST_MS)
}
