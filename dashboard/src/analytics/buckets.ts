import type { Span } from './questions.ts'
import type { GroupRow } from './use-figures.ts'

/** How time is cut: a dimension of the datasets, and how long each piece is. */
export interface Cut {
  readonly dimension: string
  readonly ms: number
}

const HOUR_MS = 3_600_000
const CUTS: readonly (Cut & { readonly upTo: number })[] = [
  { dimension: 'datetimeMinute', ms: 60_000, upTo: 1.5 * HOUR_MS },
  { dimension: 'datetimeFiveMinutes', ms: 5 * 60_000, upTo: 8 * HOUR_MS },
  { dimension: 'datetimeFifteenMinutes', ms: 15 * 60_000, upTo: 36 * HOUR_MS },
  { dimension: 'datetimeHour', ms: HOUR_MS, upTo: 8 * 24 * HOUR_MS },
]
const DAYS: Cut = { dimension: 'date', ms: 24 * HOUR_MS }

/** Between 30 and 200 pieces. */
export function cutOf({ from, to }: Span): Cut {
  return CUTS.find(({ upTo }) => to - from <= upTo) ?? DAYS
}

/** Where each piece of the span begins, in ms since 1970. */
export function piecesOf({ from, to }: Span, { ms }: Cut): readonly number[] {
  const first = from - (from % ms)
  return Array.from({ length: Math.ceil((to - first) / ms) }, (_, index) => first + index * ms)
}

/** Counts by status of every piece; pieces without an event have 0, so that stacks stand where they belong. */
export function seriesOf(
  rows: readonly GroupRow[],
  { span, cut, statuses }: { span: Span; cut: Cut; statuses: readonly string[] },
): readonly { readonly status: string; readonly points: [number, number][]; readonly total: number }[] {
  const pieces = piecesOf(span, cut)
  return statuses.map((status) => {
    const counts = new Map<number, number>()
    let total = 0
    for (const { count, dimensions } of rows) {
      if (dimensions['status'] !== status) continue
      total += count
      counts.set(Date.parse(String(dimensions[cut.dimension])), count)
    }
    return { status, total, points: pieces.map((at) => [at, counts.get(at) ?? 0]) }
  })
}
