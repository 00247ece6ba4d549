/** Longer than anything here waits: a time further ahead was written before the clock stepped back, and is now
 *  (promise 3). */
const AHEAD_MS = 2 * 86_400_000

/** Whether the time in a column has come. */
export function due(column: string): string {
  return `(${column} <= {now} or ${column} > {now} + ${AHEAD_MS})`
}
