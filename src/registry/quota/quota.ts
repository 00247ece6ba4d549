import { type Store, statement, type Write } from '#store/store.ts'

/** What each account sent, by day in UTC; the unit is the recipient (DECISIONS, Plans and quotas). In: reservations,
 *  as part of the set that promises a message. Out: the day's count. Without a limit for now. */
export interface Quota {
  /** Counts `recipients` into the day of `at` (ms). */
  reserveWrite(accountId: string, recipients: number, at: number): Write
  /** Recipients of one day. */
  usage(accountId: string, day: number): Promise<number>
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Days since 1970-01-01 in UTC. */
export function utcDay(at: number): number {
  return Math.floor(at / DAY_MS)
}

const reserve = statement(
  'quota.reserve',
  `insert into quota_usage (account_id, day, recipients) values ($1, $2, $3)
   on conflict (account_id, day) do update set recipients = quota_usage.recipients + excluded.recipients`,
)

const usageOfDay = statement<{ readonly recipients: number }>(
  'quota.usage',
  'select recipients from quota_usage where account_id = $1 and day = $2',
)

export function openQuota({ store }: { readonly store: Store }): Quota {
  return {
    reserveWrite: (accountId, recipients, at) => ({
      statement: reserve,
      params: [accountId, utcDay(at), recipients],
      rows: 1,
    }),
    async usage(accountId, day) {
      const row = await store.get(usageOfDay, [accountId, day])
      return row?.recipients ?? 0
    },
  }
}
