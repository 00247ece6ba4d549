import { type Param, type Statement, statement } from '#store/store.ts'

/** What is promised and not settled. */
export type QueueState = 'waiting' | 'claimed' | 'held'

/** Deliveries in the queue: those that meet all of it. One that says nothing means all of them. */
export interface Selection {
  readonly ids?: readonly string[]
  readonly accountId?: string
  readonly recipientDomains?: readonly string[]
  readonly state?: QueueState
  /** Promised before that time, ms. */
  readonly olderThan?: number
}

/** A statement over a selection, with its parameters. */
export interface Selecting<R> {
  readonly statement: Statement<R>
  readonly params: readonly Param[]
}

/** One statement for each kind of selection, of which there are few. */
const known = new Map<string, Statement<unknown>>()

/** `sql` is written around a condition on the selected deliveries in that state, `d`; its own parameters come first.
 *  The state stands in the text, since only so SQLite sees that a partial index has all of them. */
export function selecting<R>(
  name: string,
  of: { readonly selection: Selection; readonly state: QueueState },
  own: readonly Param[],
  sql: (condition: string) => string,
): Selecting<R> {
  const { state: _, ...rest } = of.selection
  const parts = [...laneParts(rest, of.state), ...selectionParts(rest)]
  const full = [name, of.state, ...parts.map((part) => part.name)].join(' ')
  let found = known.get(full)
  if (!found) {
    const condition = (engine: 'sqlite' | 'postgres') =>
      [`d.state = '${of.state}'`, ...parts.map((part, i) => part[engine](`$${own.length + i + 1}`))].join(
        ' and ',
      )
    found = statement<R>(full, { sqlite: sql(condition('sqlite')), postgres: sql(condition('postgres')) })
    known.set(full, found)
  }
  // The name says which text it is, and so what its rows are.
  return { statement: found as Statement<R>, params: [...own, ...parts.map(({ value }) => value)] }
}

/** One condition of a selection, with its one parameter. */
export interface Part {
  readonly name: string
  readonly value: Param
  readonly sqlite: (place: string) => string
  readonly postgres: (place: string) => string
}

/** A selection as conditions on `d`. */
export function selectionParts(selection: Selection): readonly Part[] {
  const { ids, accountId, recipientDomains, state, olderThan } = selection
  return [
    ...(ids ? [oneOf('d.id', ids)] : []),
    ...(accountId === undefined ? [] : [compared('d.account_id =', accountId)]),
    ...(recipientDomains ? [oneOf('d.recipient_domain', recipientDomains)] : []),
    ...(state === undefined ? [] : [compared('d.state =', state)]),
    ...(olderThan === undefined ? [] : [compared('d.created_at <', olderThan)]),
  ]
}

/** The index of what waits begins with the account. All of it is named by a lane, and lanes are few. */
function laneParts({ ids, accountId, recipientDomains }: Selection, state: QueueState): readonly Part[] {
  if (state !== 'waiting' || ids || accountId !== undefined || !recipientDomains) return []
  return [accountsThatMail(recipientDomains)]
}

function compared(comparison: string, value: Param): Part {
  const text = (place: string) => `${comparison} ${place}`
  return { name: comparison, value, sqlite: text, postgres: text }
}

function oneOf(column: string, values: readonly string[]): Part {
  return {
    name: `${column} in`,
    value: JSON.stringify(values),
    sqlite: (place) => `${column} in (select value from json_each(${place}))`,
    postgres: (place) => `${column} = any (array(select json_array_elements_text(${place}::json)))`,
  }
}

function accountsThatMail(domains: readonly string[]): Part {
  const accounts = oneOf('recipient_domain', domains)
  const select = (condition: string) => `select account_id from lane where ${condition}`
  return {
    ...accounts,
    name: 'lanes',
    sqlite: (place) => `d.account_id in (${select(accounts.sqlite(place))})`,
    postgres: (place) => `d.account_id = any (array(${select(accounts.postgres(place))}))`,
  }
}
