import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `90s`, `15m`, `2h`, `7d`. For commander. */
export function readDuration(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? []
  const ms = Number(count) * (UNITS[unit] ?? 0)
  if (ms > 0) return ms
  throw new InvalidArgumentError('It must be a duration such as 90s, 15m, 2h or 7d.')
}

/** A time of RFC 3339 from one, from a date (its beginning in UTC), or from how far it is from `now`. For commander. */
export function readWhen(text: string, now = Date.now()): string {
  if (/^\d+[smhd]$/.test(text)) return new Date(now + readDuration(text)).toISOString()
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const at = isTime ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return new Date(at).toISOString()
  throw new InvalidArgumentError('It must be a date, a time such as 2027-01-01T00:00:00Z, or 90d from now.')
}
