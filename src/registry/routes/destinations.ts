import { type Address, foldAddress } from '#model/address.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'

/** Destination addresses: mailboxes of an account's own people, who may receive what the account routes and, without
 *  limits, what it sends. In: addresses and proofs. Out: which of some recipients are verified. */
export interface Destinations {
  /** Of `emailKeys` (`foldAddress`), those that are verified in this account. One query, whatever their number. */
  verified(accountId: string, emailKeys: readonly string[]): Promise<ReadonlySet<string>>
  /** Adds the address, or finds it. `verified` marks it as proven; it never takes a proof away. */
  addDestination(
    accountId: string,
    email: Address,
    options: { readonly verified: boolean },
  ): Promise<Destination>
}

export interface Destination {
  readonly id: string
  readonly email: string
  /** Milliseconds since 1970; null until its owner has answered. */
  readonly verifiedAt: number | null
  readonly createdAt: number
  readonly modifiedAt: number
}

interface DestinationRow {
  readonly id: string
  readonly email: string
  readonly verified_at: number | null
  readonly created_at: number
  readonly modified_at: number
}

const verifiedKey = statement<{ readonly email_key: string }>(
  'destination.verified-key',
  'select email_key from destination where account_id = $1 and email_key = $2 and verified_at is not null',
)

// One parameter for any number of keys; either form looks each key up in the unique index.
const verifiedKeys = statement<{ readonly email_key: string }>('destination.verified-keys', {
  sqlite: `select email_key from destination
    where account_id = $1 and email_key in (select value from json_each($2)) and verified_at is not null`,
  postgres: `select email_key from destination
    where account_id = $1 and email_key = any (array(select json_array_elements_text($2::json)))
      and verified_at is not null`,
})

const addressOfKey = statement<DestinationRow>(
  'destination.of-key',
  `select id, email, verified_at, created_at, modified_at from destination
   where account_id = $1 and email_key = $2`,
)

const upsertDestination = statement(
  'destination.upsert',
  `insert into destination (id, account_id, email, email_key, verified_at, created_at, modified_at)
   values ($1, $2, $3, $4, $5, $6, $6)
   on conflict (account_id, email_key) do update
     set verified_at = excluded.verified_at, modified_at = excluded.modified_at
     where destination.verified_at is null and excluded.verified_at is not null`,
)

export function openDestinations({ store, clock }: { store: Store; clock: () => number }): Destinations {
  return {
    async verified(accountId, emailKeys) {
      const [first, ...others] = emailKeys
      if (first === undefined) return new Set()
      // Most mail has one recipient, and a keyed read needs no reader thread.
      if (others.length === 0) {
        const row = await store.get(verifiedKey, [accountId, first])
        return new Set(row ? [row.email_key] : [])
      }
      const rows = await store.all(verifiedKeys, [accountId, JSON.stringify(emailKeys)])
      return new Set(rows.map((row) => row.email_key))
    },

    async addDestination(accountId, email, { verified }) {
      const at = clock()
      const key = foldAddress(email)
      await store.commit([
        { statement: upsertDestination, params: [newId(), accountId, email, key, verified ? at : null, at] },
      ])
      const row = await store.get(addressOfKey, [accountId, key])
      if (!row) throw new Error('a destination vanished between its commit and its first read')
      const { id, verified_at: verifiedAt, created_at: createdAt, modified_at: modifiedAt } = row
      return { id, email: row.email, verifiedAt, createdAt, modifiedAt }
    },
  }
}
