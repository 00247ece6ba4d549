/** Analytics Engine: what Workers counted, in datasets of an account. In: data points. Out: answers to queries in a small
 *  SQL. Promise: a point whose write resolved survives a crash, until its retention ends; nothing is sampled; a query
 *  sees its own account's points only, and costs no more than its limits. */
import { type Store, statement } from '#store/store.ts'
import type { DataPoint } from './data-point.ts'
import { evaluate, type PointRow } from './sql-evaluate.ts'
import { parseSql, type SqlExpression, type SqlQuery } from './sql-query.ts'
import { runSql, type SqlAnswer } from './sql-run.ts'
import { SqlFault } from './sql-tokens.ts'

export interface Analytics {
  /** `dataset` is what `isDataset` says is one. */
  write(accountId: string, dataset: string, point: DataPoint): Promise<void>
  /** `SELECT … FROM dataset`, or `SHOW TABLES`; docs/analytics-engine.md says what it may have. */
  query(accountId: string, sql: string): Promise<SqlAnswer | { readonly detail: string }>
  /** Deletes what is older than the retention; some of it, often enough called. */
  sweep(): Promise<void>
}

const RETENTION_MS = 92 * 86_400_000
const PAGE = 2000
/** Rows that one query looks at. */
const MOST_SCANNED = 200_000
/** Rows of one commit, and commits of one sweep: neither holds up mail for long. */
const ROWS = 2000
const COMMITS = 20

const insert = statement(
  'data-point.insert',
  'insert into data_point (account_id, dataset, at, point) values ($1, $2, $3, $4)',
)
const page = statement<{ readonly seq: number; readonly at: number; readonly point: string }>(
  'data-point.page',
  `select seq, at, point from data_point where account_id = $1 and dataset = $2 and (at, seq) > ($3, $4)
   order by at, seq limit ${PAGE}`,
)
// From one dataset to the next along the index, however many points each has.
const datasets = statement<{ readonly dataset: string }>(
  'data-point.datasets',
  `with recursive found (dataset) as (
     select min(dataset) from data_point where account_id = $1
     union all
     select (select min(dataset) from data_point where account_id = $1 and data_point.dataset > found.dataset)
     from found where found.dataset is not null)
   select dataset from found where dataset is not null order by dataset limit 1000`,
)
const expire = statement<{ readonly seq: number }>(
  'data-point.sweep',
  `delete from data_point where seq in (select seq from data_point where at < $1 order by at limit ${ROWS})
   returning seq`,
)

export function openAnalytics({ store, clock }: { store: Store; clock: () => number }): Analytics {
  async function* pagesOf(
    accountId: string,
    { dataset, where }: SqlQuery,
  ): AsyncGenerator<readonly PointRow[]> {
    let last = { at: earliest(where, clock()) - 1, seq: Number.MAX_SAFE_INTEGER }
    for (let scanned = 0; ; scanned += PAGE) {
      if (scanned >= MOST_SCANNED) {
        const most = `The query looks at more than ${MOST_SCANNED} points`
        throw new SqlFault(`${most}; narrow it with timestamp > NOW() - INTERVAL '1' DAY or the like.`)
      }
      const rows = await store.all(page, [accountId, dataset, last.at, last.seq])
      // What was written here is of this shape.
      yield rows.map(({ at, point }) => ({ at, dataset, point: JSON.parse(point) as DataPoint }))
      if (rows.length < PAGE) return
      last = rows.at(-1) ?? last
    }
  }

  return {
    async write(accountId, dataset, point) {
      const params = [accountId, dataset, clock(), JSON.stringify(point)]
      await store.commit([{ statement: insert, params, rows: 1 }])
    },

    async query(accountId, sql) {
      try {
        const query = parseSql(sql)
        if (query !== 'show-tables') return await runSql(query, pagesOf(accountId, query), clock())
        const data = (await store.all(datasets, [accountId])).map(({ dataset }) => ({ dataset }))
        return { meta: [{ name: 'dataset', type: 'String' }], data, rows: data.length }
      } catch (error) {
        if (error instanceof SqlFault) return { detail: error.message }
        throw error
      }
    },

    async sweep() {
      const before = clock() - RETENTION_MS
      for (let commits = 0; commits < COMMITS; commits++) {
        const swept = await store.commit([{ statement: expire, params: [before] }])
        if (!swept.ok || (swept.rows[0]?.length ?? 0) < ROWS) return
      }
    },
  }
}

/** Milliseconds before which nothing can match: of conditions such as `timestamp > NOW() - INTERVAL '1' DAY` that all
 *  must hold. */
export function earliest(where: SqlExpression | undefined, now: number): number {
  if (where?.kind !== 'call') return 0
  const [left, right] = where.args
  if (where.name === 'AND') return Math.max(...where.args.map((each) => earliest(each, now)))
  const isLower = where.name === '>' || where.name === '>='
  if (
    !isLower ||
    !left ||
    !right ||
    left.kind !== 'column' ||
    left.name !== 'timestamp' ||
    !isConstant(right)
  )
    return 0
  const none = (): never => {
    throw new TypeError('a constant has no columns')
  }
  const bound = evaluate(
    { kind: 'call', name: 'TOUNIXTIMESTAMP', distinct: false, args: [right] },
    { now, column: none },
  )
  return typeof bound === 'number' && Number.isFinite(bound) ? Math.floor(bound) * 1000 : 0
}

function isConstant(expression: SqlExpression): boolean {
  if (expression.kind === 'call') return expression.args.every(isConstant)
  return expression.kind !== 'column'
}
