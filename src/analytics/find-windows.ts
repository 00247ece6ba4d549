import type { Asking } from './asking.ts'
import { type ChosenLabels, chosenSql, levelWith } from './chosen-labels.ts'
import { QueryText } from './compile-filter.ts'
import { DAY_MS, dayOf, MINUTE_MS, startOfDay } from './day.ts'
import { fieldsOf } from './read-filter.ts'

/** How many events with some labels there were on each of these days, by the counts; days without any are left out. */
export async function countDays(
  { engine, deadline }: Asking,
  chosen: ChosenLabels,
  days: readonly number[],
): Promise<ReadonlyMap<number, number>> {
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

/** The minutes of a day that have events with some labels, or with others of the same coarse ones. */
export async function minutesOf(
  { engine, deadline }: Asking,
  chosen: ChosenLabels,
  day: number,
): Promise<readonly number[]> {
  deadline.check()
  const since = startOfDay(day)
  const text = new QueryText(engine.kind, 'c.start')
  const level = levelWith(chosen.conditions.flatMap(fieldsOf))
  const labels =
    level.name === 'coarse'
      ? `select l.id from history_label l where ${chosenSql(chosen, 'coarse', text)}`
      : `select l.coarse from history_label l where ${chosenSql(chosen, 'whole', text)}`
  const sql = `select distinct c.start from history_count c
    where c.span = ${MINUTE_MS} and c.start >= ${since} and c.start < ${since + DAY_MS} and c.events > 0
      and c.label in (${labels})`
  const rows = await engine.read('rows', sql, text.values)
  return rows.map(({ start }) => Number(start))
}
