import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './day.ts'
import type { Filter, TimeField } from './history-query.ts'

/** Times from `from` on and before `to`, in ms since 1970; either may be infinite. */
export interface Span {
  readonly from: number
  readonly to: number
}

export const ALWAYS: Span = { from: -Infinity, to: Infinity }

/** The interval that each field cuts times to. */
export const INTERVAL_MS = {
  date: DAY_MS,
  datetimeHour: HOUR_MS,
  datetimeFifteenMinutes: 15 * MINUTE_MS,
  datetimeFiveMinutes: 5 * MINUTE_MS,
  datetimeMinute: MINUTE_MS,
  datetime: SECOND_MS,
} as const satisfies Record<TimeField, number>

export function isTime(field: string): field is TimeField {
  return field in INTERVAL_MS
}

export type TimeLeaf = Exclude<Filter, { readonly and: unknown } | { readonly or: unknown }> & {
  readonly field: TimeField
}

/** The times of which a condition on a field is true, in order and apart from each other: what a field is compared with
 *  is the start of an interval, so every bound is one. */
export function spansOf(leaf: TimeLeaf): readonly Span[] {
  const ms = INTERVAL_MS[leaf.field]
  const equal = (value: unknown): readonly Span[] => {
    const start = numeric(value)
    return start % ms === 0 ? [{ from: start, to: start + ms }] : []
  }
  switch (leaf.is) {
    case 'in':
      return union(leaf.values.flatMap(equal))
    case 'notin':
      return complement(union(leaf.values.flatMap(equal)))
    default:
  }
  const value = numeric(leaf.value)
  const floor = value - (value % ms)
  const next = floor + ms
  const spans = {
    eq: () => equal(value),
    neq: () => complement(equal(value)),
    geq: () => [{ from: floor === value ? value : next, to: Infinity }],
    gt: () => [{ from: next, to: Infinity }],
    leq: () => [{ from: -Infinity, to: next }],
    lt: () => [{ from: -Infinity, to: floor === value ? value : next }],
  } satisfies Record<typeof leaf.is, () => readonly Span[]>
  return spans[leaf.is]()
}

export function intersect(one: Span, other: Span): Span {
  return { from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) }
}

function union(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = []
  for (const span of [...spans].sort((one, other) => one.from - other.from)) {
    const last = merged.at(-1)
    if (last && span.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    } else merged.push(span)
  }
  return merged
}

function complement(spans: readonly Span[]): readonly Span[] {
  const edges = [-Infinity, ...spans.flatMap(({ from, to }) => [from, to]), Infinity]
  const rest: Span[] = []
  for (let i = 0; i < edges.length; i += 2) rest.push({ from: edges[i] ?? 0, to: edges[i + 1] ?? 0 })
  return rest
}

function numeric(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new TypeError('a time is compared with milliseconds since 1970')
  }
  return value
}
