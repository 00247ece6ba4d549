import { type KeptLabel, LEVELS } from './label.ts'
import type { BatchPlan } from './plan-batch.ts'

/** A change to one count. */
export interface CountChange {
  readonly span: number
  readonly label: number
  /** Start of the interval. */
  readonly start: number
  events: number
  /** How many of them are the last of their delivery. */
  last: number
}

/** What a batch changes about the counts: one change for each that it touches. */
export function countChanges(
  { rows, demoted }: BatchPlan,
  keptLabel: (key: string) => KeptLabel,
): readonly CountChange[] {
  const changes = new Map<string, CountChange>()
  const change = (span: number, label: number, at: number, events: number, last: number) => {
    const start = at - (at % span)
    const key = `${span} ${label} ${start}`
    const count = changes.get(key)
    if (!count) {
      changes.set(key, { span, label, start, events, last })
      return
    }
    count.events += events
    count.last += last
  }
  const changeAll = (kept: KeptLabel, at: number, events: number, last: number) => {
    for (const { name, intervals } of LEVELS) {
      const label = name === 'whole' ? kept.id : kept[name]
      for (const interval of intervals) change(interval, label, at, events, last)
    }
  }
  for (const { label, event, isLast } of rows) changeAll(keptLabel(label.key), event.at, 1, isLast ? 1 : 0)
  for (const { label, at } of demoted) changeAll(label, at, 0, -1)
  return [...changes.values()]
}
