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

export type RangeStep = 'earlier' | 'later' | 'narrower' | 'wider'

interface StepLimits {
  readonly now: number
  /** What the range is called where it has one of these lengths and ends now. */
  readonly lengths: readonly string[]
  /** How long it may be, and how far back it may begin, in ms. */
  readonly longestMs: number
  readonly keptMs: number
}

const SHORTEST_MS = 60_000

/** The range after one step: half of it sooner or later, or half or twice as long around its middle. Undefined where there
 *  is no further to go. */
export function stepTimeRange(text: string, step: RangeStep, limits: StepLimits): string | undefined {
  const { now, lengths, longestMs, keptMs } = limits
  const range = parseTimeRange(text)
  if (!range) return undefined
  const span = spanOf(range, now)
  const { from, to } = within(stepped(span, step, longestMs), { from: now - keptMs, to: now })
  const isSame = Math.abs(from - span.from) < 1000 && Math.abs(to - span.to) < 1000
  if (isSame || to - from < SHORTEST_MS) return undefined
  const endsNow = now - to < 1000
  const named = lengths.find((length) => {
    const known = parseTimeRange(length)
    return known?.kind === 'last' && Math.abs(known.ms - (to - from)) < 1000
  })
  return endsNow && named !== undefined ? named : timeRangeBetween(from, to)
}

interface Span {
  readonly from: number
  readonly to: number
}

function stepped({ from, to }: Span, step: RangeStep, longestMs: number): Span {
  const length = to - from
  const middle = (from + to) / 2
  switch (step) {
    case 'earlier':
      return { from: from - length / 2, to: to - length / 2 }
    case 'later':
      return { from: from + length / 2, to: to + length / 2 }
    case 'narrower':
      return { from: middle - length / 4, to: middle + length / 4 }
    case 'wider': {
      const half = Math.min(length, longestMs / 2)
      return { from: middle - half, to: middle + half }
    }
  }
}

/** Moved, and only then cut, to where it has its place. */
function within({ from, to }: Span, bounds: Span): Span {
  const back = Math.max(0, to - bounds.to)
  const forth = Math.max(0, bounds.from - (from - back))
  return { from: Math.max(bounds.from, from - back), to: Math.min(bounds.to, to - back + forth) }
}
