import { type Store, statement } from '#store/store.ts'
import { utcDay } from './utc-day.ts'

export interface MonthUsage {
  /** `2026-11`. */
  readonly month: string
  /** Recipients: hard bounces count; suppressed, rejected and verified destinations do not. */
  readonly sent: number
}

const ofDays = statement<{ readonly sent: number }>(
  'quota.usage-of-days',
  `select coalesce(sum(recipients), 0) as sent from quota_usage where account_id = $1 and day >= $2 and day < $3`,
)

/** The last `count` calendar months (UTC) up to that of `at`, newest first. The days of each are a range of the key. */
export async function monthsOf(
  store: Store,
  accountId: string,
  { at, count }: { readonly at: number; readonly count: number },
): Promise<readonly MonthUsage[]> {
  const now = new Date(at)
  const start = (back: number) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)
  return Promise.all(
    Array.from({ length: count }, async (_, back) => {
      const [from, until] = [start(back), start(back - 1)]
      const row = await store.get(ofDays, [accountId, utcDay(from), utcDay(until)])
      return { month: new Date(from).toISOString().slice(0, 7), sent: row?.sent ?? 0 }
    }),
  )
}
