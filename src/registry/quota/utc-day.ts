export const DAY_MS = 24 * 60 * 60 * 1000

/** Days since 1970-01-01 in UTC. */
export function utcDay(at: number): number {
  return Math.floor(at / DAY_MS)
}
