const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** Beyond this no calendar goes (ECMA-262 §21.4.1.1), and nothing here is kept as long. */
const LONGEST_MS = 3660 * UNITS.d

/** A duration such as 90s, 15m, 2h or 7d, in ms. */
export function readDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (number === undefined || (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd')) return undefined
  const ms = Number(number) * UNITS[unit]
  return ms <= LONGEST_MS ? ms : undefined
}

/** A time of ISO 8601 with its offset, or a day in UTC, in ms. */
export function readTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))?$/i.test(text))
    return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}
