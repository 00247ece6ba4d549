import type { GraphQLResolveInfo } from 'graphql'
import type { FieldValue, HistoryEvent, Order } from '../history-query.ts'
import { INTERVAL_MS } from '../time-span.ts'
import { checkSpan } from './check-span.ts'
import type { DatasetNode, NodeField } from './datasets.ts'
import type { FilterKey } from './filter-keys.ts'
import type { QueryContext } from './query-context.ts'
import { QueryFault } from './query-fault.ts'
import { listOf, readFilter, wrong } from './read-filter.ts'
import { readLimit, type ScopeNode } from './read-scopes.ts'
import { quoted } from './read-value.ts'
import { type WantedField, wantedFields } from './wanted-fields.ts'

export interface DatasetArguments {
  readonly filter?: unknown
  readonly limit?: unknown
  readonly orderBy?: unknown
}

/** As in the original. */
export const MOST_ROWS = 10_000
export const MOST_FIELDS = 30

/** What one dataset is asked for, ready to be asked of a zone or an account. */
interface Asked {
  readonly node: DatasetNode
  readonly keys: ReadonlyMap<string, FilterKey>
  readonly args: DatasetArguments
  readonly info: GraphQLResolveInfo
}

/** The values of one row by the names of its fields; times in milliseconds. */
type Values = Readonly<Partial<Record<NodeField, FieldValue>>>

export interface GroupRow {
  readonly count: number
  readonly dimensions: Values
}

/** Rows of counts, or of events, as they come out a little at a time: other requests have their turn in between. */
export async function answerDataset(
  { scope }: ScopeNode,
  asked: Asked,
  context: QueryContext,
): Promise<AsyncIterable<GroupRow | Values>> {
  context.countNode()
  const { node, keys, args, info } = asked
  const { world } = context
  const filter = readFilter(args.filter, keys)
  checkSpan(filter, { days: world.days, now: world.now() })
  const limit = readLimit(args.limit, MOST_ROWS)
  const { dataset } = node
  const query = { scope, dataset, ...(filter && { filter }), limit }
  const selected = wantedFields(info.fieldNodes, info)
  if (node.kind === 'events') {
    const wanted = checkFields(selected)
    const rows = await context.events({ ...query, ...readOrder(args.orderBy, node.fields, node) })
    return aLittleAtATime(rows, (row) => valuesOf(row), { wanted, context })
  }
  const dimensions = selected.filter(({ node }) => node.name.value === 'dimensions')
  const wanted = checkFields([
    ...selected,
    ...wantedFields(
      dimensions.map(({ node }) => node),
      info,
    ),
  ])
  const by = node.fields.filter((field) => wanted.some(({ node }) => node.name.value === field))
  const order = readOrder(args.orderBy, [...by, 'count' as const], node)
  const groups = await context.groups({ ...query, by, ...order })
  return aLittleAtATime(groups, (group) => group, { wanted, context })
}

/** Each once: a field that stands there twice is in the answer once. */
function checkFields(fields: readonly WantedField[]): readonly WantedField[] {
  const named = fields.map((field) => [`${field.key} ${field.node.name.value}`, field] as const)
  const unique = [...new Map(named).values()]
  if (unique.length <= MOST_FIELDS) return unique
  throw new QueryFault('limit', `number of fields can't be more than ${MOST_FIELDS}`)
}

/** How many rows go out before others have their turn. */
const AT_A_TIME = 200
/** A number, quotes and commas. */
const PUNCTUATION = 8

async function* aLittleAtATime<Row extends object, Out extends Values | GroupRow>(
  rows: readonly Row[],
  read: (row: Row) => Out,
  { wanted, context }: { readonly wanted: readonly WantedField[]; readonly context: QueryContext },
): AsyncGenerator<Out> {
  for (const [index, each] of rows.entries()) {
    const row = read(each)
    const values: Values = 'dimensions' in row ? row.dimensions : row
    let characters = PUNCTUATION
    for (const { key, node } of wanted) {
      // What is no field of a row has no length.
      const value = values[node.name.value as NodeField]
      characters += key.length + PUNCTUATION + (typeof value === 'string' ? value.length : 20)
    }
    context.spend(characters)
    yield row
    if (index % AT_A_TIME === AT_A_TIME - 1) await new Promise(setImmediate)
  }
}

/** An event has its moment; each time field is that, cut to its interval. */
function valuesOf(event: HistoryEvent): Values {
  const times = Object.entries(INTERVAL_MS).map(([field, ms]) => [field, event.at - (event.at % ms)] as const)
  return { ...event, ...Object.fromEntries(times), envelopeTo: event.to }
}

/** `[date_DESC, count_ASC]`, by what `sortable` has; of a dataset's other fields it says what is missing. */
function readOrder<By extends NodeField | 'count'>(
  raw: unknown,
  sortable: readonly By[],
  { fields }: DatasetNode,
): { readonly order?: readonly Order<By>[] } {
  const list = raw === undefined || raw === null ? [] : listOf(raw)
  if (list.length === 0) return {}
  if (list.length > MOST_ORDERS) throw wrong('orderBy', `it has at most ${MOST_ORDERS} entries`)
  const order = list.map((each, index) => {
    const [, name, direction] = (typeof each === 'string' && /^(\w+)_(ASC|DESC)$/.exec(each)) || []
    const by = sortable.find((field) => field === name)
    if (by) return { by, direction: direction === 'ASC' ? ('asc' as const) : ('desc' as const) }
    const missing = fields.find((field) => field === name)
    const how = missing
      ? `groups are ordered by what they are grouped by: add dimensions { ${missing} }`
      : `there is no order ${quoted(each)}`
    throw wrong(`orderBy.${index}`, how)
  })
  return { order }
}

const MOST_ORDERS = 10

/** How a field of a row comes into the answer. */
export function valueOf(field: NodeField): (row: Values) => FieldValue | undefined {
  return (row) => row[field]
}
