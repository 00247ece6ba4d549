import type { Asking } from './asking.ts'
import { type ChosenLabels, chosenSql, levelWith } from './chosen-labels.ts'
import { QueryText } from './compile-filter.ts'
import { DAY_MS, dayOf, startOfDay } from './day.ts'
import { fieldsOf } from './read-filter.ts'

/** How many events with some labels there were on each of these days, by the counts; days without any are left out. */
export async function countDays(
  { engine, deadline }: Asking,
  chosen: ChosenLabels,
  days: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (days.length === 0) return new Map()
  deadline.check()
  const starts = days.map(startOfDay)
  const text = new QueryText(engine.kind, 'c.start')
  const level = levelWith(chosen.conditions.flatMap(fieldsOf))
  const sql = `select c.start, sum(c.events) as n from history_label l cross join history_count c
    where ${chosenSql(chosen, level.name, text)} and c.span = ${DAY_MS} and c.label = l.id
      and c.start >= ${Math.min(...starts)} and c.start <= ${Math.max(...starts)}
    group by c.start having sum(c.events) > 0`
  const rows = await engine.read('rows', sql, text.values)
  return new Map(rows.map(({ start, n }) => [dayOf(Number(start)), Number(n)]))
}
