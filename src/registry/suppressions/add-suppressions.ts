import { foldAddress } from '#model/address.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import {
  COLUMNS,
  EXPIRED,
  INSERT,
  localKeyOf,
  type ManualSuppression,
  type Suppression,
  type SuppressionRow,
  scopeValue,
  suppressionOf,
} from './suppression.ts'

/** `existed`: an active entry keeps its id, its reason and its expiry. */
export interface ManualAddition {
  readonly kind: 'added' | 'existed' | 'read-only'
  readonly suppression: Suppression
}

/** One parameter for any number of entries, each an array in the order of the columns. Locks are taken in the order of
 *  the keys, so that two imports do not wait for each other. */
const fill = `do update set
     id = excluded.id, email = excluded.email, reason = excluded.reason, note = excluded.note,
     read_only = excluded.read_only, created_at = excluded.created_at, expires_at = excluded.expires_at
   where ${EXPIRED} returning id`
const addEach = statement<{ readonly id: string }>('suppression.add-manual', {
  sqlite: `${INSERT}
    select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, 'manual', value ->> 6, 0,
      $2, value ->> 7
    from json_each($3) where true
    on conflict (account_id, email_key, scope_value) ${fill}`,
  postgres: `${INSERT}
    select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, 'manual', value ->> 6, 0,
      cast($2 as bigint), cast(value ->> 7 as bigint)
    from json_array_elements($3::json) order by value ->> 2, value ->> 5
    on conflict (account_id, email_key, scope_value) ${fill}`,
})

/** Active entries of these keys and scopes, each pair an array: one look into the unique index for each. */
const found = `select ${COLUMNS} from place cross join suppression
    where account_id = $1 and email_key = place_key and scope_value = place_scope
      and (expires_at is null or expires_at > $3)`
const standing = statement<SuppressionRow>('suppression.standing', {
  sqlite: `with place as (select value ->> 0 as place_key, value ->> 1 as place_scope from json_each($2)) ${found}`,
  postgres: `with place as
    (select value ->> 0 as place_key, value ->> 1 as place_scope from json_array_elements($2::json)) ${found}`,
})

interface Pending extends ManualSuppression {
  readonly index: number
  readonly id: string
  readonly emailKey: string
}

/** Adds what is not there, in one commit; no two wishes may be for the same address and scope. Out: what became of
 *  each wish, in their order. */
export async function addManually(
  { store, clock }: { readonly store: Store; readonly clock: () => number },
  accountId: string,
  wishes: readonly ManualSuppression[],
): Promise<readonly ManualAddition[]> {
  const outcomes: ManualAddition[] = []
  let pending = wishes.map(
    (wish, index): Pending => ({ ...wish, index, id: newId(), emailKey: foldAddress(wish.email) }),
  )
  while (pending.length > 0) {
    const at = clock()
    const added = await insertNew(store, accountId, { wishes: pending, at })
    const others = pending.filter(({ id }) => !added.has(id))
    const met = await standingEntries(store, accountId, { wishes: others, at })
    for (const wish of pending) {
      const suppression = met.get(placeOf(wish))
      if (added.has(wish.id)) outcomes[wish.index] = { kind: 'added', suppression: newEntry(wish, at) }
      else if (suppression)
        outcomes[wish.index] = { kind: suppression.readOnly ? 'read-only' : 'existed', suppression }
    }
    // What stood in the way was removed since: there is room now.
    pending = others.filter((wish) => !met.has(placeOf(wish)))
  }
  return outcomes
}

interface Round {
  readonly wishes: readonly Pending[]
  readonly at: number
}

/** The ids of those that were not there. */
async function insertNew(
  store: Store,
  accountId: string,
  { wishes, at }: Round,
): Promise<ReadonlySet<string>> {
  const entries = wishes.map(({ id, email, emailKey, scope, note, expiresAt }) => [
    ...[id, email, emailKey, localKeyOf(emailKey)],
    ...[scope?.type ?? 'account', scopeValue(scope), note, expiresAt],
  ])
  const params = [accountId, at, JSON.stringify(entries)]
  const committed = await store.commit([{ statement: addEach, params }])
  if (!committed.ok) throw new Error(`adding suppressions conflicted in ${committed.conflict}`)
  // The statement returns ids.
  const rows = (committed.rows[0] ?? []) as readonly { readonly id: string }[]
  return new Set(rows.map(({ id }) => id))
}

/** Active entries where these wishes would stand, by place. */
async function standingEntries(
  store: Store,
  accountId: string,
  { wishes, at }: Round,
): Promise<ReadonlyMap<string, Suppression>> {
  if (wishes.length === 0) return new Map()
  const places = wishes.map(({ emailKey, scope }) => [emailKey, scopeValue(scope)])
  const rows = await store.all(standing, [accountId, JSON.stringify(places), at])
  return new Map(rows.map((row) => [`${row.email_key} ${row.scope_value}`, suppressionOf(row)]))
}

function placeOf({ emailKey, scope }: Pending): string {
  return `${emailKey} ${scopeValue(scope)}`
}

function newEntry({ id, email, emailKey, scope, note, expiresAt }: Pending, at: number): Suppression {
  const entry = { id, email, emailKey, scope: scope ?? { type: 'account' }, note, expiresAt } as const
  return { ...entry, reason: 'manual', readOnly: false, createdAt: at }
}
