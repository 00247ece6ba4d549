import { foldAddress } from '#model/address.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import {
  COLUMNS,
  EXPIRED,
  INSERT,
  localKeyOf,
  type ManualSuppression,
  type RecordSuppressions,
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
   where ${EXPIRED}`
const addEach = statement('suppression.add-manual', {
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
  readonly id: string
  readonly emailKey: string
}

/** Adds what is not there, in one commit with what `record` says of it; no two wishes may be for the same address and
 *  scope. Out: what became of each wish, in their order. */
export async function addManually(
  { store, clock }: { readonly store: Store; readonly clock: () => number },
  accountId: string,
  wishes: readonly ManualSuppression[],
  record: RecordSuppressions,
): Promise<readonly ManualAddition[]> {
  const pending = wishes.map((wish): Pending => ({ ...wish, id: newId(), emailKey: foldAddress(wish.email) }))
  for (;;) {
    const at = clock()
    const met = await standingEntries(store, accountId, { wishes: pending, at })
    const missing = pending.filter((wish) => !met.has(placeOf(wish)))
    // Where somebody else added or removed one of them since, the next look decides.
    if (missing.length > 0 && !(await insertAll(store, accountId, { wishes: missing, at, record }))) continue
    return pending.map((wish): ManualAddition => {
      const suppression = met.get(placeOf(wish))
      if (!suppression) return { kind: 'added', suppression: newEntry(wish, at) }
      return { kind: suppression.readOnly ? 'read-only' : 'existed', suppression }
    })
  }
}

interface Round {
  readonly wishes: readonly Pending[]
  readonly at: number
}

/** False, and nothing added, where one of them is there already. */
async function insertAll(
  store: Store,
  accountId: string,
  { wishes, at, record }: Round & { readonly record: RecordSuppressions },
): Promise<boolean> {
  const entries = wishes.map(({ id, email, emailKey, scope, note, expiresAt }) => [
    ...[id, email, emailKey, localKeyOf(emailKey)],
    ...[scope?.type ?? 'account', scopeValue(scope), note, expiresAt],
  ])
  const params = [accountId, at, JSON.stringify(entries)]
  const committed = await store.commit([
    { statement: addEach, params, rows: entries.length },
    ...record(wishes.map((wish) => ({ after: newEntry(wish, at), at }))),
  ])
  return committed.ok
}

/** Active entries where these wishes would stand, by place. */
async function standingEntries(
  store: Store,
  accountId: string,
  { wishes, at }: Round,
): Promise<ReadonlyMap<string, Suppression>> {
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
