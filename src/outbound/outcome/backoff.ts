/** Milliseconds until the next attempt. `delays` are the waits after the first, second … attempt; the last repeats.
 *  `random` in [0, 1) adds up to a quarter, so that a herd put off together does not come back together. */
export function backoff(delays: readonly number[], attempts: number, random: number): number {
  const delay = delays[Math.min(attempts, delays.length) - 1] ?? delays[0] ?? 60_000
  return Math.round(delay * (1 + random / 4))
}
