import type { Span } from './time-span.ts'

/** A part of a span, and the length of the intervals whose counts answer for it; 0: its events themselves. */
export interface Part extends Span {
  readonly interval: number
}

/** Divides a span into whole intervals, the longest first, and what is left at its ends into shorter ones, and that into
 *  single events: so a count is exact wherever it begins. `intervals` in ms, each a multiple of the next. */
export function coverSpan({ from, to }: Span, intervals: readonly number[]): readonly Part[] {
  if (from >= to) return []
  const [interval, ...shorter] = intervals
  if (interval === undefined) return [{ from, to, interval: 0 }]
  const first = Math.ceil(from / interval) * interval
  const last = Math.floor(to / interval) * interval
  if (first >= last) return coverSpan({ from, to }, shorter)
  return [
    ...coverSpan({ from, to: first }, shorter),
    { from: first, to: last, interval },
    ...coverSpan({ from: last, to }, shorter),
  ]
}
