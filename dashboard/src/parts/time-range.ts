/** A span of time as a URL has it: a length that ends now (`24h`), or two moments (`2026-11-20T09:00Z..2026-11-21T09:00Z`). */
export type TimeRange =
  | { readonly kind: 'last'; readonly last: string; readonly ms: number }
  | { readonly kind: 'between'; readonly from: number; readonly to: number }

const UNITS = { m: ['minute', 60_000], h: ['hour', 3_600_000], d: ['day', 86_400_000] } as const
const LONGEST_MS = 366 * 86_400_000

/** Undefined of what is no range. */
export function parseTimeRange(text: string): TimeRange | undefined {
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? []
  if (count !== undefined && (unit === 'm' || unit === 'h' || unit === 'd')) {
    const ms = Number(count) * UNITS[unit][1]
    return ms <= LONGEST_MS ? { kind: 'last', last: text, ms } : undefined
  }
  const [from, to, ...more] = text.split('..').map((moment) => Date.parse(moment))
  if (from === undefined || to === undefined || more.length > 0 || !(from < to)) return undefined
  return { kind: 'between', from, to }
}

/** What a link may hold, else the default. */
export function readTimeRange(value: unknown, fallback: string): string {
  return typeof value === 'string' && parseTimeRange(value) ? value : fallback
}

export function timeRangeBetween(from: number, to: number): string {
  return `${moment(from)}..${moment(to)}`
}

/** Its beginning and its end, in ms since 1970, both on whole seconds. */
export function spanOf(range: TimeRange, now: number): { readonly from: number; readonly to: number } {
  const { from, to } = range.kind === 'last' ? { from: now - range.ms, to: now } : range
  return { from: from - (from % 1000), to: to - (to % 1000) }
}

const shown = new Intl.DateTimeFormat(undefined, {
  ...({ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' } as const),
})

/** "Last 24 hours", or both moments in the viewer's zone. */
export function timeRangeText(text: string): string {
  const range = parseTimeRange(text)
  if (!range) return text
  if (range.kind === 'between') return `${shown.format(range.from)} – ${shown.format(range.to)}`
  const [unit] = UNITS[range.last.at(-1) as keyof typeof UNITS]
  const count = Number.parseInt(range.last, 10)
  return count === 1 ? `Last ${unit}` : `Last ${count} ${unit}s`
}

/** To the second, as the API takes it. */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
