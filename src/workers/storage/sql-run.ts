import { type Aggregate, openAggregate } from './sql-aggregate.ts'
import {
  aggregatesOf,
  COLUMNS,
  columnOf,
  evaluate,
  isTrue,
  Moment,
  orderOf,
  type PointRow,
  type SqlScope,
  type SqlValue,
} from './sql-evaluate.ts'
import type { SqlExpression, SqlItem, SqlQuery } from './sql-query.ts'
import { SqlFault } from './sql-tokens.ts'

/** As the original answers: FORMAT JSON. */
export interface SqlAnswer {
  readonly meta: readonly { readonly name: string; readonly type: string }[]
  /** Times as 'YYYY-MM-DD hh:mm:ss'; null for what is no finite number. */
  readonly data: readonly Readonly<Record<string, string | number | null>>[]
  readonly rows: number
}

const MOST_KEPT = 50_000
const NO_ROW: PointRow = { at: 0, dataset: '', point: { indexes: [], blobs: [], doubles: [] } }

interface Group {
  readonly first: PointRow
  readonly aggregates: ReadonlyMap<SqlExpression, Aggregate>
}

/** Throws SqlFault. `pages` ends early where enough was seen. `now` in milliseconds. */
export async function runSql(
  query: SqlQuery,
  pages: AsyncIterable<readonly PointRow[]>,
  now: number,
): Promise<SqlAnswer> {
  const items =
    query.items ?? COLUMNS.map((name) => ({ expression: { kind: 'column', name } as const, name }))
  const scopeOf = scopes(items, now)
  const wanted = [
    ...items.map(({ expression }) => expression),
    ...(query.having ? [query.having] : []),
    ...query.orderBy.map(({ expression }) => expression),
  ]
  const aggregates = wanted.flatMap(aggregatesOf)
  const isGrouped = query.groupBy.length > 0 || aggregates.length > 0
  const matching = matchingRows(query, pages, scopeOf)
  const found = isGrouped
    ? await grouped(query, matching, { aggregates, scopeOf })
    : (await kept(query, matching)).map((row) => scopeOf(row))
  const ordered = found.filter((scope) => !query.having || isTrue(evaluate(query.having, scope)))
  sort(ordered, query)
  const shown = ordered.slice(query.offset, query.offset + query.limit)
  const values = shown.map((scope) => items.map(({ expression }) => evaluate(expression, scope)))
  return {
    meta: items.map(({ name, expression }, index) => ({
      name,
      type: typeOf(expression, values[0]?.[index]),
    })),
    data: values.map((row) => Object.fromEntries(items.map(({ name }, index) => [name, plain(row[index])]))),
    rows: values.length,
  }
}

type ScopeOf = (row: PointRow, aggregates?: Group['aggregates']) => SqlScope

/** What is called by a name of its own in the answer is known by it everywhere else too. */
function scopes(items: readonly SqlItem[], now: number): ScopeOf {
  const columns = new Set(COLUMNS)
  const aliases = new Map(
    items.filter(({ name }) => !columns.has(name)).map((item) => [item.name, item.expression]),
  )
  return (row, aggregates) => {
    const aggregate = aggregates && ((expression: SqlExpression) => aggregates.get(expression)?.value() ?? 0)
    const bare: SqlScope = { now, column: (name) => columnOf(row, name), ...(aggregate && { aggregate }) }
    return {
      ...bare,
      column(name) {
        const alias = aliases.get(name)
        return alias ? evaluate(alias, bare) : columnOf(row, name)
      },
    }
  }
}

async function* matchingRows(
  { where }: SqlQuery,
  pages: AsyncIterable<readonly PointRow[]>,
  scopeOf: ScopeOf,
): AsyncGenerator<readonly PointRow[]> {
  for await (const page of pages) {
    yield where ? page.filter((row) => isTrue(evaluate(where, scopeOf(row)))) : page
  }
}

async function kept(
  { orderBy, offset, limit }: SqlQuery,
  pages: AsyncIterable<readonly PointRow[]>,
): Promise<PointRow[]> {
  const rows: PointRow[] = []
  for await (const page of pages) {
    rows.push(...page)
    if (orderBy.length === 0 && rows.length >= offset + limit) break
    if (rows.length > MOST_KEPT) throw new SqlFault(`More than ${MOST_KEPT} rows match; ask for fewer.`)
  }
  return rows
}

async function grouped(
  { groupBy }: SqlQuery,
  pages: AsyncIterable<readonly PointRow[]>,
  { aggregates, scopeOf }: { readonly aggregates: readonly SqlExpression[]; readonly scopeOf: ScopeOf },
): Promise<SqlScope[]> {
  const groups = new Map<string, Group>()
  const groupFor = (key: string, first: PointRow) => {
    const there = groups.get(key)
    if (there) return there
    const group = { first, aggregates: new Map(aggregates.map((each) => [each, openAggregate(each)])) }
    groups.set(key, group)
    if (groups.size > MOST_KEPT) throw new SqlFault(`There are more than ${MOST_KEPT} groups; ask for fewer.`)
    return group
  }
  // Without groups everything is one, also nothing.
  if (groupBy.length === 0) groupFor('[]', NO_ROW)
  for await (const page of pages) {
    for (const row of page) {
      const scope = scopeOf(row)
      const key = JSON.stringify(groupBy.map((each) => evaluate(each, scope)))
      for (const aggregate of groupFor(key, row).aggregates.values()) aggregate.add(scope)
    }
  }
  return [...groups.values()].map(({ first, aggregates: gathered }) => scopeOf(first, gathered))
}

function sort(found: SqlScope[], { orderBy }: SqlQuery): void {
  if (orderBy.length === 0) return
  const keys = new Map(found.map((scope) => [scope, orderBy.map((each) => evaluate(each.expression, scope))]))
  found.sort((a, b) => {
    for (const [index, { descending }] of orderBy.entries()) {
      const order = orderOf(keys.get(a)?.[index], keys.get(b)?.[index])
      if (order !== 0) return descending ? -order : order
    }
    return 0
  })
}

function typeOf(expression: SqlExpression, value: SqlValue | undefined): string {
  const name = expression.kind === 'column' ? expression.name : ''
  if (value instanceof Moment || name === 'timestamp') return 'DateTime'
  if (expression.kind === 'call' && expression.name === 'COUNT') return 'UInt64'
  return typeof value === 'number' || /^double|^_sample/.test(name) ? 'Float64' : 'String'
}

function plain(value: SqlValue | undefined): string | number | null {
  if (value instanceof Moment) return timeOf(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return value ?? null
}

/** Reckoned times may be beyond what a Date holds. */
function timeOf({ seconds }: Moment): string | null {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return null
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '')
}
