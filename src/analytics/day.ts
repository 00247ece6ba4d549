export const SECOND_MS = 1000
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** A day in UTC as a number that people can read, 20261121, and that names its tables. */
export function dayOf(at: number): number {
  const date = new Date(at)
  return date.getUTCFullYear() * 10_000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate()
}

/** When a day began, in ms since 1970. */
export function startOfDay(day: number): number {
  return Date.UTC(Math.floor(day / 10_000), (Math.floor(day / 100) % 100) - 1, day % 100)
}

/** The earliest time that is kept: the start of the day so many days ago. */
export function keptSince(now: number, days: number): number {
  return now - (now % DAY_MS) - days * DAY_MS
}

/** When a message was made, by its id (UUIDv7: RFC 9562 §5.7); 0 where its id does not say. */
export function madeAt(id: string): number {
  return /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/.test(id) ? Number.parseInt(id.slice(0, 12), 16) : 0
}
