/** Object ids of pg_type. */
const BOOL = 16
const BYTEA = 17
const NUMERIC_TYPES = new Set([20, 21, 23, 26, 700, 701, 1700])

/** One value as PostgreSQL prints it, as the kind of value SQLite gives: numbers (times in milliseconds and counts
 *  stay far below 2^53), 0 and 1 for truth, bytes, text for all else. */
export function readPostgresValue(type: number, text: string): string | number | Buffer {
  if (NUMERIC_TYPES.has(type)) return Number(text)
  if (type === BYTEA) return Buffer.from(text.slice(2), 'hex')
  if (type === BOOL) return text === 't' ? 1 : 0
  return text
}
