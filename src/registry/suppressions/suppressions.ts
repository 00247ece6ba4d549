import type { Store } from '#store/store.ts'
import { statement } from '#store/store.ts'
import { addManually, type ManualAddition } from './add-suppressions.ts'
import { type Allowance, spendWrite, untilNextPeriod } from './allowance.ts'
import {
  type ChangedBy,
  changeSuppression,
  type NotChanged,
  removeSuppression,
  type SuppressionChange,
} from './change-suppression.ts'
import {
  type ListFilter,
  listSuppressions,
  type Position,
  type SuppressionPage,
} from './list-suppressions.ts'
import { STREAK_MEMORY_MS } from './suppress-write.ts'
import {
  COLUMNS,
  type ManualSuppression,
  type RecordSuppressions,
  type Suppression,
  type SuppressionRow,
  suppressionOf,
} from './suppression.ts'

export type { ManualAddition } from './add-suppressions.ts'
export { type NewSuppression, softBounceWrites, suppressWrites } from './suppress-write.ts'
export type {
  ManualSuppression,
  RecordSuppressions,
  Suppression,
  SuppressionChanged,
  SuppressionReason,
  SuppressionScope,
} from './suppression.ts'

/** Who must not be mailed, and why (newer-facts.md). In: failures, complaints, the customer's own wishes. Out: which
 *  recipients are suppressed now. Promise: one entry per recipient, account and scope, and none that has expired
 *  counts; what one account has is never seen or changed by another. */
export interface Suppressions {
  /** Active entries of `emailKeys` (`foldAddress`) that count for mail of this sending domain, by key; the account's own
   *  entry where there are both. One indexed query, whatever their number. */
  find(
    accountId: string,
    emailKeys: readonly string[],
    sendingDomain: string,
  ): Promise<ReadonlyMap<string, Suppression>>
  /** The account's active entry of this id. */
  suppression(accountId: string, id: string): Promise<Suppression | undefined>
  /** A page of active entries. */
  list(accountId: string, wanted: ListWanted): Promise<SuppressionPage>
  /** `record` speaks of what was added, in the same commit. */
  addManual(accountId: string, wish: ManualSuppression, record?: RecordSuppressions): Promise<ManualAddition>
  /** A thousand at most, in one commit, no two for the same address and scope; answers in their order. */
  addManyManual(
    accountId: string,
    wishes: readonly ManualSuppression[],
    record?: RecordSuppressions,
  ): Promise<readonly ManualAddition[]>
  /** The entry as it is now. */
  change(
    accountId: string,
    id: string,
    change: SuppressionChange & { readonly by: ChangedBy },
  ): Promise<Suppression | NotChanged>
  remove(accountId: string, id: string, by: ChangedBy): Promise<'removed' | NotChanged>
  /** Counts one use of the allowance. Out: undefined, or in how many seconds there is a new one. */
  spend(accountId: string, kind: Allowance): Promise<number | undefined>
  /** Deletes entries that have expired, a hundred thousand at most; returns how many. */
  sweep(): Promise<number>
}

export interface ListWanted {
  readonly filter: ListFilter
  readonly limit: number
  readonly after?: Position | undefined
}

const active = '(expires_at is null or expires_at > $3)'

const activeByKey = statement<SuppressionRow>(
  'suppression.active-by-key',
  `select ${COLUMNS} from suppression
   where account_id = $1 and email_key = $2 and ${active} and scope_value in ('', $4) order by scope_type limit 1`,
)

// One parameter for any number of keys; either form looks each key up in the unique index. The account's own entry
// comes last, so that it is the one a map keeps.
const activeByKeys = statement<SuppressionRow>('suppression.active-by-keys', {
  sqlite: `select ${COLUMNS} from suppression
    where account_id = $1 and email_key in (select value from json_each($2)) and ${active}
      and scope_value in ('', $4) order by scope_type desc`,
  postgres: `select ${COLUMNS} from suppression
    where account_id = $1 and email_key = any (array(select json_array_elements_text($2::json))) and ${active}
      and scope_value in ('', $4) order by scope_type desc`,
})

const activeById = statement<SuppressionRow>(
  'suppression.active-by-id',
  `select ${COLUMNS} from suppression where account_id = $1 and id = $2 and ${active}`,
)

const SWEEP_BATCH = 1000
const MOST_SWEPT = 100
const sweep = statement(
  'suppression.sweep',
  `delete from suppression
   where id in (select id from suppression where expires_at <= $1 limit ${SWEEP_BATCH}) returning id`,
)

const forgetStreaks = statement(
  'suppression.forget-streaks',
  `delete from soft_bounce_streak where ends_at <= $1`,
)

const nothing: RecordSuppressions = () => []

export function openSuppressions(world: {
  readonly store: Store
  readonly clock: () => number
}): Suppressions {
  const { store, clock } = world

  async function activeEntry(accountId: string, id: string): Promise<Suppression | undefined> {
    const row = await store.get(activeById, [accountId, id, clock()])
    return row && suppressionOf(row)
  }

  return {
    async find(accountId, emailKeys, sendingDomain) {
      const [first, ...others] = emailKeys
      if (first === undefined) return new Map()
      // Most mail has one recipient, and a keyed read needs no reader thread.
      if (others.length === 0) {
        const row = await store.get(activeByKey, [accountId, first, clock(), sendingDomain])
        return new Map(row ? [[first, suppressionOf(row)]] : [])
      }
      const keys = JSON.stringify(emailKeys)
      const rows = await store.all(activeByKeys, [accountId, keys, clock(), sendingDomain])
      return new Map(rows.map((row) => [row.email_key, suppressionOf(row)]))
    },

    suppression: activeEntry,
    list: (accountId, wanted) => listSuppressions(world, accountId, wanted),

    async addManual(accountId, wish, record = nothing) {
      const [added] = await addManually(world, accountId, [wish], record)
      if (!added) throw new Error('adding one suppression had no outcome')
      return added
    },

    addManyManual: (accountId, wishes, record = nothing) =>
      wishes.length === 0 ? Promise.resolve([]) : addManually(world, accountId, wishes, record),

    change: (accountId, id, { by, ...change }) =>
      changeSuppression({ ...world, activeEntry }, accountId, { id, by, change }),

    remove: (accountId, id, by) => removeSuppression({ ...world, activeEntry }, accountId, { id, by }),

    async spend(accountId, kind) {
      const at = clock()
      const spent = await store.commit([spendWrite(accountId, kind, at)])
      return spent.ok ? undefined : untilNextPeriod(kind, at)
    },

    async sweep() {
      const at = clock()
      await store.commit([{ statement: forgetStreaks, params: [at - STREAK_MEMORY_MS] }])
      let swept = 0
      for (let batch = 0; batch < MOST_SWEPT; batch++) {
        const result = await store.commit([{ statement: sweep, params: [at] }])
        const count = result.ok ? (result.rows[0]?.length ?? 0) : 0
        swept += count
        if (count < SWEEP_BATCH) break
      }
      return swept
    },
  }
}
