import { isOfLabel } from './compile-filter.ts'
import type { Field, Filter, Query } from './history-query.ts'
import { ALWAYS, intersect, isTime, type Span, spansOf, type TimeLeaf } from './time-span.ts'

/** A filter taken apart by what can answer it: its conditions hold together. */
export interface ReadFilter {
  readonly span: Span
  /** On what labels have: they choose the labels, and need not be asked of each event again. */
  readonly ofLabel: readonly Filter[]
  /** Where it asks for no more than that: whether an event is the last of its delivery. */
  readonly last: 0 | 1 | undefined
  /** All others. */
  readonly rest: readonly Filter[]
}

export function readFilter({ filter, steps = false }: Pick<Query, 'filter' | 'steps'>): ReadFilter {
  let span = ALWAYS
  let last: 0 | 1 | undefined
  const ofLabel: Filter[] = []
  const rest: Filter[] = []
  for (const condition of filter ? conjuncts(filter) : []) {
    const lastAsked = askedLast(condition)
    const spanAsked = askedSpan(condition)
    if (spanAsked) span = intersect(span, spanAsked)
    else if (fieldsOf(condition).every(isOfLabel)) ofLabel.push(condition)
    else if (lastAsked !== undefined && (last === undefined || last === lastAsked)) last = lastAsked
    else rest.push(condition)
  }
  if (!steps) ofLabel.push({ field: 'status', is: 'neq', value: '' })
  return { span, last, ofLabel, rest }
}

/** Every field that a filter names. */
export function fieldsOf(filter: Filter): readonly Field[] {
  if ('and' in filter) return filter.and.flatMap(fieldsOf)
  if ('or' in filter) return filter.or.flatMap(fieldsOf)
  return [filter.field]
}

/** The times that a filter compares with, wherever in it they stand. */
export function boundsOf(filter: Filter): readonly number[] {
  if ('and' in filter) return filter.and.flatMap(boundsOf)
  if ('or' in filter) return filter.or.flatMap(boundsOf)
  if (!isTime(filter.field)) return []
  return spansOf(filter as TimeLeaf).flatMap(({ from, to }) => [from, to].filter(Number.isFinite))
}

function conjuncts(filter: Filter): readonly Filter[] {
  return 'and' in filter ? filter.and.flatMap(conjuncts) : [filter]
}

function askedSpan(condition: Filter): Span | undefined {
  if (!('field' in condition) || !isTime(condition.field)) return undefined
  const [span = { from: 0, to: 0 }, ...more] = spansOf(condition as TimeLeaf)
  return more.length === 0 ? span : undefined
}

function askedLast(condition: Filter): 0 | 1 | undefined {
  if (!('field' in condition) || condition.field !== 'isLastEvent' || condition.is !== 'eq') return undefined
  return condition.value === 0 || condition.value === 1 ? condition.value : undefined
}
