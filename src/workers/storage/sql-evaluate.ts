import type { DataPoint } from './data-point.ts'
import { MOST_VALUES } from './data-point.ts'
import type { SqlExpression } from './sql-query.ts'
import { SqlFault } from './sql-tokens.ts'

/** A moment, in seconds: what is no number in an answer. */
export class Moment {
  readonly seconds: number
  constructor(seconds: number) {
    this.seconds = seconds
  }
}

export type SqlValue = number | string | Moment

/** A row of a dataset; `at` in milliseconds. */
export interface PointRow {
  readonly at: number
  readonly dataset: string
  readonly point: DataPoint
}

/** What an expression is looked at with: one row, or all those of a group. */
export interface SqlScope {
  /** Milliseconds. */
  readonly now: number
  readonly column: (name: string) => SqlValue
  /** The value of an aggregate; absent where there are no groups. */
  readonly aggregate?: (expression: SqlExpression) => SqlValue
}

const AGGREGATES = new Set(['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'])

export function isAggregate(expression: SqlExpression): boolean {
  return expression.kind === 'call' && AGGREGATES.has(expression.name)
}

/** All aggregates in it, the outermost only. */
export function aggregatesOf(expression: SqlExpression): readonly SqlExpression[] {
  if (isAggregate(expression)) return [expression]
  return expression.kind === 'call' ? expression.args.flatMap(aggregatesOf) : []
}

export const COLUMNS: readonly string[] = [
  ...['timestamp', 'dataset', '_sample_interval'],
  ...['index', 'blob', 'double'].flatMap((kind) =>
    Array.from({ length: MOST_VALUES }, (_, index) => `${kind}${index + 1}`),
  ),
]
const KNOWN = new Set(COLUMNS)

export function columnOf({ at, dataset, point }: PointRow, name: string): SqlValue {
  if (name === 'timestamp') return new Moment(Math.floor(at / 1000))
  if (name === 'dataset') return dataset
  // Nothing is sampled here.
  if (name === '_sample_interval') return 1
  if (!KNOWN.has(name)) throw new SqlFault(`There is no column "${name.slice(0, 50)}".`)
  const index = Number(/\d+$/.exec(name)?.[0]) - 1
  if (name.startsWith('double')) return point.doubles[index] ?? 0
  return (name.startsWith('blob') ? point.blobs[index] : point.indexes[index]) ?? ''
}

type Evaluate = (args: readonly SqlValue[], scope: SqlScope) => SqlValue

const truth = (is: boolean) => (is ? 1 : 0)
const numbers = (work: (a: number, b: number) => number): Evaluate => {
  return ([a, b]) => work(numberOf(a), numberOf(b))
}
const compare =
  (is: (order: number) => boolean): Evaluate =>
  ([a, b]) =>
    truth(is(orderOf(a, b)))

const FUNCTIONS: Readonly<Record<string, readonly [fewest: number, most: number, work: Evaluate]>> = {
  NOT: [1, 1, ([a]) => truth(!isTrue(a))],
  '=': [2, 2, compare((order) => order === 0)],
  '!=': [2, 2, compare((order) => order !== 0)],
  '<': [2, 2, compare((order) => order < 0)],
  '<=': [2, 2, compare((order) => order <= 0)],
  '>': [2, 2, compare((order) => order > 0)],
  '>=': [2, 2, compare((order) => order >= 0)],
  IN: [2, 1001, ([a, ...others]) => truth(others.some((other) => orderOf(a, other) === 0))],
  LIKE: [2, 2, ([a, pattern]) => truth(isLike(textOf(a), textOf(pattern)))],
  '*': [2, 2, numbers((a, b) => a * b)],
  '/': [2, 2, numbers((a, b) => a / b)],
  '%': [2, 2, numbers((a, b) => a % b)],
  '+': [
    2,
    2,
    ([a, b]) => (a instanceof Moment ? new Moment(a.seconds + numberOf(b)) : numberOf(a) + numberOf(b)),
  ],
  '-': [2, 2, ([a, b]) => minus(a, b)],
  INTDIV: [2, 2, numbers((a, b) => Math.trunc(a / b))],
  ABS: [1, 1, ([a]) => Math.abs(numberOf(a))],
  FLOOR: [1, 1, ([a]) => Math.floor(numberOf(a))],
  CEIL: [1, 1, ([a]) => Math.ceil(numberOf(a))],
  ROUND: [1, 1, ([a]) => Math.round(numberOf(a))],
  LENGTH: [1, 1, ([a]) => Buffer.byteLength(textOf(a))],
  LOWER: [1, 1, ([a]) => textOf(a).toLowerCase()],
  UPPER: [1, 1, ([a]) => textOf(a).toUpperCase()],
  IF: [3, 3, ([condition, a = '', b = '']) => (isTrue(condition) ? a : b)],
  NOW: [0, 0, (_, { now }) => new Moment(Math.floor(now / 1000))],
  TODATETIME: [1, 1, ([a]) => momentOf(a)],
  TOUNIXTIMESTAMP: [1, 1, ([a]) => momentOf(a).seconds],
  TOSTARTOFINTERVAL: [2, 2, ([a, b]) => startOf(momentOf(a), numberOf(b))],
}

/** Throws SqlFault. */
export function evaluate(expression: SqlExpression, scope: SqlScope): SqlValue {
  if (expression.kind === 'value') return expression.value
  if (expression.kind === 'interval') return expression.seconds
  if (expression.kind === 'column') return scope.column(expression.name)
  const { name, args } = expression
  if (isAggregate(expression)) {
    if (!scope.aggregate) throw new SqlFault(`${name}() cannot stand here: there are no groups yet.`)
    return scope.aggregate(expression)
  }
  // These two look no further than they must.
  if (name === 'AND') return truth(args.every((each) => isTrue(evaluate(each, scope))))
  if (name === 'OR') return truth(args.some((each) => isTrue(evaluate(each, scope))))
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (!known) throw new SqlFault(`There is no function ${name.slice(0, 50)}().`)
  const [fewest, most, work] = known
  if (args.length < fewest || args.length > most)
    throw new SqlFault(`${name}() has ${args.length} arguments.`)
  return work(
    args.map((each) => evaluate(each, scope)),
    scope,
  )
}

export function isTrue(value: SqlValue | undefined): boolean {
  return value !== undefined && value !== '' && value !== 0
}

export function numberOf(value: SqlValue | undefined): number {
  if (typeof value === 'number') return value
  throw new SqlFault(`${shown(value)} is no number.`)
}

/** Less than, equal to or greater than 0. A moment compares with one that is written as text. */
export function orderOf(a: SqlValue | undefined, b: SqlValue | undefined): number {
  if (a instanceof Moment || b instanceof Moment) return momentOf(a).seconds - momentOf(b).seconds
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new SqlFault(`${shown(a)} and ${shown(b)} cannot be compared.`)
}

function textOf(value: SqlValue | undefined): string {
  if (typeof value === 'string') return value
  throw new SqlFault(`${shown(value)} is no text.`)
}

function momentOf(value: SqlValue | undefined): Moment {
  if (value instanceof Moment) return value
  if (typeof value === 'number') return new Moment(value)
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)Z?)?$/.exec(value ?? '')
  const ms = match ? Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}Z`) : Number.NaN
  if (Number.isNaN(ms)) throw new SqlFault(`${shown(value)} is no time; write 'YYYY-MM-DD hh:mm:ss', in UTC.`)
  return new Moment(ms / 1000)
}

function minus(a: SqlValue | undefined, b: SqlValue | undefined): SqlValue {
  if (a instanceof Moment && b instanceof Moment) return a.seconds - b.seconds
  return a instanceof Moment ? new Moment(a.seconds - numberOf(b)) : numberOf(a) - numberOf(b)
}

function startOf({ seconds }: Moment, interval: number): Moment {
  if (interval <= 0) throw new SqlFault('An interval must be longer than nothing.')
  return new Moment(Math.floor(seconds / interval) * interval)
}

/** `%` stands for any characters, `_` for one. Walks back to the last `%` only, so it takes no more than the product
 *  of both lengths. */
function isLike(text: string, pattern: string): boolean {
  let [at, place, star, mark] = [0, 0, -1, 0]
  while (at < text.length) {
    if (pattern[place] === '%') {
      star = place++
      mark = at
    } else if (place < pattern.length && (pattern[place] === '_' || pattern[place] === text[at])) {
      place++
      at++
    } else if (star >= 0) {
      place = star + 1
      at = ++mark
    } else return false
  }
  while (pattern[place] === '%') place++
  return place === pattern.length
}

function shown(value: SqlValue | undefined): string {
  return value instanceof Moment ? 'A time' : `'${String(value).slice(0, 50)}'`
}
