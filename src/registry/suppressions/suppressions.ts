import { type Address, foldAddress } from '#model/address.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'

/** Who must not be mailed, and why (newer-facts.md). In: failures, complaints, the customer's own wishes. Out: which
 *  recipients are suppressed now. Promise: one entry per recipient and account, and none that has expired counts. */
export interface Suppressions {
  /** Active entries of `emailKeys` (`foldAddress`), by key. One indexed query, whatever their number. */
  find(accountId: string, emailKeys: readonly string[]): Promise<ReadonlyMap<string, Suppression>>
  /** The account's active entry of this id. */
  suppression(accountId: string, id: string): Promise<Suppression | undefined>
  addManual(accountId: string, wish: ManualSuppression): Promise<ManualAddition>
  remove(accountId: string, id: string): Promise<'removed' | 'unknown' | 'read-only'>
  /** Deletes entries that have expired, a thousand at most; returns how many. */
  sweep(): Promise<number>
}

export type SuppressionReason = 'manual' | 'complaint' | 'hard_bounce' | 'soft_bounce' | 'policy'

export interface Suppression {
  readonly id: string
  readonly email: string
  /** `foldAddress(email)`. */
  readonly emailKey: string
  readonly reason: SuppressionReason
  readonly note: string | null
  /** The operator's: the customer may not change it. */
  readonly readOnly: boolean
  readonly createdAt: number
  /** Milliseconds since 1970; null means never. */
  readonly expiresAt: number | null
}

/** What happened to a recipient. How long it counts is the reporter's to say: `hard_bounce` 7 days, or for ever where
 *  every failure says that the mailbox or its domain does not exist; `soft_bounce` 24 hours. */
export interface NewSuppression {
  readonly accountId: string
  readonly email: Address
  readonly emailKey: string
  readonly reason: Exclude<SuppressionReason, 'manual'>
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly note?: string
}

/** What a customer wants. */
export interface ManualSuppression {
  readonly email: Address
  readonly expiresAt: number | null
  readonly note: string | null
}

export type ManualAddition =
  /** `existed`: an active entry keeps its id, its reason and its expiry. */
  | { readonly kind: 'added' | 'existed'; readonly suppression: Suppression }
  | { readonly kind: 'read-only'; readonly suppression: Suppression }

interface SuppressionRow {
  readonly id: string
  readonly email: string
  readonly email_key: string
  readonly reason: SuppressionReason
  readonly note: string | null
  readonly read_only: number
  readonly created_at: number
  readonly expires_at: number | null
}

const columns = 'id, email, email_key, reason, note, read_only, created_at, expires_at'

const activeByKey = statement<SuppressionRow>(
  'suppression.active-by-key',
  `select ${columns} from suppression
   where account_id = $1 and email_key = $2 and (expires_at is null or expires_at > $3)`,
)

// One parameter for any number of keys; either form looks each key up in the unique index.
const activeByKeys = statement<SuppressionRow>('suppression.active-by-keys', {
  sqlite: `select ${columns} from suppression
    where account_id = $1 and email_key in (select value from json_each($2))
      and (expires_at is null or expires_at > $3)`,
  postgres: `select ${columns} from suppression
    where account_id = $1 and email_key = any (array(select json_array_elements_text($2::json)))
      and (expires_at is null or expires_at > $3)`,
})

const activeById = statement<SuppressionRow>(
  'suppression.active-by-id',
  `select ${columns} from suppression
   where account_id = $1 and id = $2 and (expires_at is null or expires_at > $3)`,
)

const insert = `insert into suppression
    (account_id, id, email, email_key, reason, note, read_only, created_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (account_id, email_key) do update set`

const expired = '(suppression.expires_at is not null and suppression.expires_at <= excluded.created_at)'

/** Which report may take the place of an active entry: the operator's always; a complaint that of anything but the
 *  operator; a bounce that of a bounce which ends sooner and was no harder. An active entry keeps its id, so that a
 *  customer who looks at it still finds it. */
const suppress = statement(
  'suppression.report',
  `${insert}
     id = case when ${expired} then excluded.id else suppression.id end,
     created_at = case when ${expired} then excluded.created_at else suppression.created_at end,
     email = excluded.email, reason = excluded.reason, note = excluded.note, read_only = excluded.read_only,
     expires_at = excluded.expires_at
   where ${expired}
     or excluded.reason = 'policy'
     or (excluded.reason = 'complaint' and suppression.reason in ('manual', 'hard_bounce', 'soft_bounce'))
     or ((suppression.reason = 'soft_bounce' or (suppression.reason = 'hard_bounce' and excluded.reason = 'hard_bounce'))
       and suppression.expires_at is not null
       and (excluded.expires_at is null or excluded.expires_at > suppression.expires_at))`,
)

const addManual = statement(
  'suppression.add-manual',
  `${insert}
     id = excluded.id, email = excluded.email, reason = excluded.reason, note = excluded.note,
     read_only = excluded.read_only, created_at = excluded.created_at, expires_at = excluded.expires_at
   where ${expired}`,
)

const remove = statement(
  'suppression.remove',
  `delete from suppression
   where account_id = $1 and id = $2 and read_only = 0 and (expires_at is null or expires_at > $3)`,
)

const sweep = statement(
  'suppression.sweep',
  `delete from suppression where id in (select id from suppression where expires_at <= $1 limit 1000) returning id`,
)

/** Suppresses a recipient as part of the set that settles its delivery. What stands already may stay as it is, so the
 *  write has no expectation. */
export function suppressWrite(report: NewSuppression): Write {
  const { accountId, email, emailKey, reason, createdAt, expiresAt, note = null } = report
  const readOnly = reason === 'policy' ? 1 : 0
  const params = [accountId, newId(), email, emailKey, reason, note, readOnly, createdAt, expiresAt]
  return { statement: suppress, params }
}

export function openSuppressions({ store, clock }: { store: Store; clock: () => number }): Suppressions {
  async function activeOf(accountId: string, emailKey: string): Promise<Suppression | undefined> {
    const row = await store.get(activeByKey, [accountId, emailKey, clock()])
    return row && suppressionOf(row)
  }

  async function activeEntry(accountId: string, id: string): Promise<Suppression | undefined> {
    const row = await store.get(activeById, [accountId, id, clock()])
    return row && suppressionOf(row)
  }

  return {
    async find(accountId, emailKeys) {
      const [first, ...others] = emailKeys
      if (first === undefined) return new Map()
      // Most mail has one recipient, and a keyed read needs no reader thread.
      if (others.length === 0) {
        const entry = await activeOf(accountId, first)
        return new Map(entry ? [[first, entry]] : [])
      }
      const rows = await store.all(activeByKeys, [accountId, JSON.stringify(emailKeys), clock()])
      return new Map(rows.map((row) => [row.email_key, suppressionOf(row)]))
    },

    suppression: activeEntry,

    async addManual(accountId, { email, expiresAt, note }) {
      const emailKey = foldAddress(email)
      for (;;) {
        const id = newId()
        const createdAt = clock()
        const params = [accountId, id, email, emailKey, 'manual', note, 0, createdAt, expiresAt]
        const added = await store.commit([{ statement: addManual, params, rows: 1 }])
        if (added.ok) {
          const entry = { id, email, emailKey, note, createdAt, expiresAt }
          return { kind: 'added', suppression: { ...entry, reason: 'manual', readOnly: false } }
        }
        const suppression = await activeOf(accountId, emailKey)
        // Expired or removed since: there is room now.
        if (!suppression) continue
        return { kind: suppression.readOnly ? 'read-only' : 'existed', suppression }
      }
    },

    async remove(accountId, id) {
      const removed = await store.commit([{ statement: remove, params: [accountId, id, clock()], rows: 1 }])
      if (removed.ok) return 'removed'
      return (await activeEntry(accountId, id)) ? 'read-only' : 'unknown'
    },

    async sweep() {
      const swept = await store.commit([{ statement: sweep, params: [clock()] }])
      return swept.ok ? (swept.rows[0]?.length ?? 0) : 0
    },
  }
}

function suppressionOf(row: SuppressionRow): Suppression {
  const { id, email, email_key: emailKey, reason, note, read_only, created_at, expires_at } = row
  return {
    id,
    email,
    emailKey,
    reason,
    note,
    readOnly: read_only === 1,
    createdAt: created_at,
    expiresAt: expires_at,
  }
}
