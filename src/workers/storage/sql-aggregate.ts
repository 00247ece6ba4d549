import { evaluate, numberOf, orderOf, type SqlScope, type SqlValue } from './sql-evaluate.ts'
import type { SqlExpression } from './sql-query.ts'
import { SqlFault } from './sql-tokens.ts'

/** What is gathered of a group's rows. */
export interface Aggregate {
  add(scope: SqlScope): void
  value(): SqlValue
}

const MOST_DISTINCT = 100_000

export function openAggregate(expression: SqlExpression): Aggregate {
  if (expression.kind !== 'call') throw new TypeError('only a call is an aggregate')
  const { name, args, distinct } = expression
  const [arg] = args
  if (args.length > 1 || (!arg && name !== 'COUNT')) throw new SqlFault(`${name}() takes one argument.`)
  if (distinct && name !== 'COUNT') throw new SqlFault('DISTINCT stands in COUNT() only.')
  if (name === 'COUNT') return distinct && arg ? countDistinct(arg) : countRows()
  if (!arg) throw new TypeError('checked above')
  return name === 'MIN' || name === 'MAX' ? extreme(arg, name === 'MIN' ? -1 : 1) : sum(arg, name === 'AVG')
}

function countRows(): Aggregate {
  let rows = 0
  return {
    add: () => void rows++,
    value: () => rows,
  }
}

function countDistinct(arg: SqlExpression): Aggregate {
  const seen = new Set<string>()
  return {
    add(scope) {
      seen.add(JSON.stringify(evaluate(arg, scope)))
      if (seen.size > MOST_DISTINCT) throw new SqlFault('There are too many different values to count.')
    },
    value: () => seen.size,
  }
}

function sum(arg: SqlExpression, isMean: boolean): Aggregate {
  let total = 0
  let rows = 0
  return {
    add(scope) {
      total += numberOf(evaluate(arg, scope))
      rows++
    },
    value: () => (isMean ? total / rows : total),
  }
}

function extreme(arg: SqlExpression, direction: 1 | -1): Aggregate {
  let best: SqlValue | undefined
  return {
    add(scope) {
      const value = evaluate(arg, scope)
      if (best === undefined || orderOf(value, best) * direction > 0) best = value
    },
    value: () => best ?? 0,
  }
}
