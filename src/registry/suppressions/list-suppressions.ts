import { type Param, type Statement, type Store, statement } from '#store/store.ts'
import {
  COLUMNS,
  type Suppression,
  type SuppressionReason,
  type SuppressionRow,
  type SuppressionScope,
  suppressionOf,
} from './suppression.ts'

/** Which entries: those that meet all of it. */
export interface ListFilter {
  /** `foldAddress` of whole addresses: the exact one, and the one that is searched for. */
  readonly emailKeys?: readonly string[]
  /** A local part with its '@'. */
  readonly localKey?: string
  readonly reason?: SuppressionReason
  readonly scopeType?: SuppressionScope['type']
  readonly scopeValue?: string
}

/** After which entry a page begins. */
export interface Position {
  readonly scopeType: string
  readonly createdAt: number
  readonly id: string
}

export interface SuppressionPage {
  readonly entries: readonly Suppression[]
  /** Undefined at the end. */
  readonly next: Position | undefined
}

/** Behind every entry: no scope is called so. */
const START: Position = { scopeType: 'zzz', createdAt: Number.MAX_SAFE_INTEGER, id: '' }

/** Entries of sending domains first, then the account's; the newest first in each, as the official client has it. Each
 *  page is read along an index from where the one before ended, so the last one costs what the first did. */
export async function listSuppressions(
  { store, clock }: { readonly store: Store; readonly clock: () => number },
  accountId: string,
  {
    filter,
    limit,
    after = START,
  }: {
    readonly filter: ListFilter
    readonly limit: number
    readonly after?: Position | undefined
  },
): Promise<SuppressionPage> {
  const { columns, values } = conditionsOf(filter)
  const place = [after.createdAt, after.id, ...(filter.scopeType === undefined ? [after.scopeType] : [])]
  const params: Param[] = [accountId, clock(), limit + 1, ...values, ...place]
  const rows = await store.all(pageOf(columns), params)
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    entries: shown.map(suppressionOf),
    next: last && { scopeType: last.scope_type, createdAt: last.created_at, id: last.id },
  }
}

type Column = 'email_key' | 'scope_type' | 'local_key' | 'scope_value' | 'reason'

/** The narrowest first. */
function conditionsOf(filter: ListFilter): { readonly columns: readonly Column[]; readonly values: Param[] } {
  const { emailKeys = [], localKey, scopeType, scopeValue, reason } = filter
  const all: readonly (readonly [Column, string | undefined])[] = [
    ...emailKeys.map((key) => ['email_key', key] as const),
    ['scope_type', scopeType],
    ['local_key', localKey],
    ['scope_value', scopeValue],
    ['reason', reason],
  ]
  const given = all.flatMap(([column, value]) => (value === undefined ? [] : [{ column, value }]))
  return { columns: given.map(({ column }) => column), values: given.map(({ value }) => value) }
}

/** One statement for each set of filters, of which there are few. */
const pages = new Map<string, Statement<SuppressionRow>>()

function pageOf(columns: readonly Column[]): Statement<SuppressionRow> {
  const name = `suppression.page ${columns.join(' ')}`
  let page = pages.get(name)
  if (!page) {
    page = statement<SuppressionRow>(name, pageSql(columns))
    pages.set(name, page)
  }
  return page
}

/** $1 account, $2 now, $3 limit; then each filter, the place, and its scope where the filters do not say it. */
function pageSql(columns: readonly Column[]): string {
  const lead = columns.find((column) => column !== 'scope_type')
  const filters = columns.map((column, index) => {
    // An expression, so that neither engine walks along a wider index than that of the narrowest filter.
    const plain = column === lead || (column === 'scope_type' && lead !== 'email_key')
    const side = plain ? column : `${column} || ''`
    return `and ${side} = $${index + 4}`
  })
  const [at, id, scope] = [4, 5, 6].map((index) => `$${index + columns.length}`)
  const place = columns.includes('scope_type')
    ? `(created_at, id) < (${at}, ${id})`
    : `(scope_type, created_at, id) < (${scope}, ${at}, ${id})`
  const active = `account_id = $1 and (expires_at is null or expires_at > $2) ${filters.join(' ')}`
  const order = 'order by scope_type desc, created_at desc, id desc limit $3'
  // An address has an entry for each scope at most: few to sort, where the list's own order would read them all.
  if (lead === 'email_key') {
    return `with wanted as materialized (select ${COLUMNS} from suppression where ${active})
      select * from wanted where ${place} ${order}`
  }
  return `select ${COLUMNS} from suppression where ${active} and ${place} ${order}`
}
