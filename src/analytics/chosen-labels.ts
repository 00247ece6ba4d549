import { filterSql, type QueryText, wordOf } from './compile-filter.ts'
import type { Field, Filter, Query } from './history-query.ts'
import { LEVELS, type LevelName } from './label.ts'

/** Which labels a question is about. */
export interface ChosenLabels {
  readonly query: Pick<Query, 'scope' | 'dataset'>
  readonly conditions: readonly Filter[]
}

/** The condition on labels `l` that chooses them. Nothing of another account ever passes it (promise 6). */
export function chosenSql({ query, conditions }: ChosenLabels, level: LevelName, text: QueryText): string {
  const { scope, dataset } = query
  return [
    `l.account_id = ${text.add(scope.accountId)}`,
    `l.level = '${level}'`,
    ...(dataset ? [`l.dataset = ${text.add(dataset)}`] : []),
    ...(scope.zoneIds ? [filterSql({ field: 'zoneTag', is: 'in', values: scope.zoneIds }, text)] : []),
    ...conditions.map((condition) => filterSql(condition, text)),
  ].join(' and ')
}

/** The first level whose labels have all of these fields, as far as labels have them at all. */
export function levelWith(fields: readonly Field[]): (typeof LEVELS)[number] {
  const words = fields.map(wordOf)
  const level = LEVELS.find(({ without }) => !without.some((word) => words.includes(word)))
  if (!level) throw new Error('the last level is without nothing')
  return level
}
