import { type ChosenLabels, chosenSql } from './chosen-labels.ts'
import { isText, type QueryText, wordOf } from './compile-filter.ts'
import type { Field, Filter } from './history-query.ts'
import { LEVELS } from './label.ts'
import { fieldsOf } from './read-filter.ts'

/** Which index of a day's rows leads to what conditions that hold together ask for. */
export type DayIndex = 'at' | 'message' | 'to' | 'label'

export function dayIndexFor(conditions: readonly Filter[]): Exclude<DayIndex, 'label'> {
  const leads = (fields: readonly Field[]) =>
    conditions.some(
      (one) => 'field' in one && fields.includes(one.field) && (one.is === 'eq' || one.is === 'in'),
    )
  if (leads(['messageId'])) return 'message'
  return leads(['to', 'envelopeTo']) ? 'to' : 'at'
}

/** An account's rows of a day as `s`, read by an index, where these conditions hold. By that of labels: those of labels
 *  `p` alone (`partsSql`). SQLite knows nothing of how many rows a condition leaves, so it is told, and PostgreSQL guesses
 *  wrong, so there each label has a query of its own. */
export function dayRowsSql(
  day: number,
  index: DayIndex,
  { engine, account, where }: { engine: 'sqlite' | 'postgres'; account: number; where: string },
): string {
  const isOurs = `s.account = ${account} and ${where} ${index === 'message' ? `and s.message <> ''` : ''}`
  const rows =
    engine === 'sqlite'
      ? `history_row_${day} s indexed by history_row_${day}_${index}`
      : `history_row_${day} s`
  if (index !== 'label') return `${rows} where ${isOurs}`
  if (engine === 'sqlite') return `p cross join ${rows} where s.by_rule = p.id and ${isOurs}`
  return `p cross join lateral (select * from ${rows} where s.by_rule = p.id and ${isOurs} offset 0) s where true`
}

/** The labels `p` that lead to what is asked for: all that it asks of labels but for what a sender's authentication says,
 *  which is left to be asked of each row. */
export function partsSql({ query, conditions }: ChosenLabels, text: QueryText): string {
  const { without } = BY_RULE
  const has = (field: Field) => !without.some((word) => word === wordOf(field))
  const some = conditions.filter((condition) => fieldsOf(condition).every(has))
  const chosen = chosenSql({ query, conditions: some }, BY_RULE.name, text)
  return `with p as materialized (select l.id from history_label l where ${chosen})`
}

const [, BY_RULE] = LEVELS

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
