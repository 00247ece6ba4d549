import { isText } from './compile-filter.ts'
import type { Field, Filter } from './history-query.ts'

/** Which index of a day's rows leads to what conditions that hold together ask for. */
export type DayIndex = 'at' | 'message' | 'to'

export function dayIndexFor(conditions: readonly Filter[]): DayIndex {
  const leads = (fields: readonly Field[]) =>
    conditions.some(
      (one) => 'field' in one && fields.includes(one.field) && (one.is === 'eq' || one.is === 'in'),
    )
  if (leads(['messageId'])) return 'message'
  return leads(['to', 'envelopeTo']) ? 'to' : 'at'
}

/** A day's rows as `s`, read by an index. SQLite knows nothing of how many rows a condition leaves, so it is told. */
export function dayRowsSql(day: number, index: DayIndex, engine: 'sqlite' | 'postgres'): string {
  return `history_row_${day} s ${engine === 'sqlite' ? `indexed by history_row_${day}_${index}` : ''}`
}

/** What the index of messages, which is of rows that have one, wants to hear. */
export function indexCondition(index: DayIndex): string {
  return index === 'message' ? `and s.message <> ''` : ''
}

/** Whether a condition can be asked of a row without its label. */
export function isOfRow(condition: Filter): boolean {
  if ('and' in condition) return condition.and.every(isOfRow)
  if ('or' in condition) return condition.or.every(isOfRow)
  // As it is shown, a message id has the label's domain in it.
  return isText(condition.field) && (condition.field !== 'messageId' || EQUALITY.has(condition.is))
}

const EQUALITY: ReadonlySet<string> = new Set(['eq', 'neq', 'in', 'notin'])

/** The label `l` of each of a day's rows `s`. PostgreSQL takes it for each row as it comes, by its number: without the
 *  fence it would begin with the labels that a question chooses, whose number it can only guess. */
export function labelOfRowSql(engine: 'sqlite' | 'postgres'): string {
  return engine === 'sqlite'
    ? 'cross join history_label l on l.id = s.label'
    : 'cross join lateral (select * from history_label where id = s.label offset 0) l'
}
