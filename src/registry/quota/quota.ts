import { LRUCache } from 'lru-cache'
import { type Store, statement, type Write } from '#store/store.ts'
import { type DayLimit, dayLimit, type QuotaRule, type QuotaSetting, settingWrite } from './day-limit.ts'
import { type MonthUsage, monthsOf } from './month-usage.ts'
import { DAY_MS, utcDay } from './utc-day.ts'

export type { QuotaRule, QuotaSetting } from './day-limit.ts'
export type { MonthUsage } from './month-usage.ts'

/** What each account sent, by day in UTC, and what it may send; the unit is the recipient (DECISIONS, Plans and quotas).
 *  In: reservations, as part of the set that promises a message; the operator's word. Out: the day's count and its
 *  limit. Promise: a reservation is counted in the promise's own commit or the commit is undone, so under one limit no
 *  day's count is ever past it, whoever reserves at once; nothing is given back, because a bounce counts. A change of
 *  the limit counts within 5 s. */
export interface Quota {
  /** What counts `recipients` into the day of `at` (ms), for the set that promises them. Its conflict has the name
   *  RESERVE: others took what was left; `report` tells of it. Already known to be too many: no write, but why. */
  reserve(accountId: string, recipients: number, at: number): Promise<Write | QuotaReport>
  /** How the account stands on the day of `at`. */
  report(accountId: string, at: number): Promise<QuotaReport>
  /** The calendar months (UTC) up to that of `at`, newest first: nothing is limited by them. */
  months(accountId: string, at: number, count: number): Promise<readonly MonthUsage[]>
  /** The operator's word; `record` gives what is to be in the same commit. Throws where there is no such account. */
  adjust(accountId: string, setting: QuotaSetting, options: Adjustment): Promise<QuotaReport>
}

export interface QuotaReport extends DayLimit {
  /** Recipients counted that day. */
  readonly used: number
  /** When the count begins anew, in milliseconds. */
  readonly resetsAt: number
}

export interface Adjustment {
  readonly at: number
  readonly record: (change: {
    readonly before: QuotaSetting
    readonly after: QuotaSetting
  }) => readonly Write[]
}

/** How long a limit may be believed. */
const LIFE_MS = 5000
const ACCOUNTS_KEPT = 10_000

export const RESERVE = 'quota.reserve'

const reserveAny = statement(
  'quota.count',
  `insert into quota_usage (account_id, day, recipients) values ($1, $2, $3)
   on conflict (account_id, day) do update set recipients = quota_usage.recipients + excluded.recipients`,
)

// One statement, so that the check and the count are one: on PostgreSQL the row's lock holds the others back.
const reserveWithin = statement(
  RESERVE,
  `insert into quota_usage (account_id, day, recipients)
   select $1, cast($2 as integer), cast($3 as integer) where cast($3 as bigint) <= cast($4 as bigint)
   on conflict (account_id, day) do update set recipients = quota_usage.recipients + excluded.recipients
   where quota_usage.recipients + excluded.recipients <= cast($4 as bigint)`,
)

const usageOfDay = statement<{ readonly recipients: number }>(
  'quota.usage',
  'select recipients from quota_usage where account_id = $1 and day = $2',
)

interface Known {
  readonly day: number
  readonly until: number
  readonly report: QuotaReport
}

/** Without a rule, an account has a limit only where the operator set one. */
export function openQuota({ store, rule }: { readonly store: Store; readonly rule?: QuotaRule }): Quota {
  const known = new LRUCache<string, Known>({ max: ACCOUNTS_KEPT })

  async function report(accountId: string, at: number): Promise<QuotaReport> {
    const day = utcDay(at)
    const limit = await dayLimit({ store, rule }, accountId, day)
    const row = await store.get(usageOfDay, [accountId, day])
    const fresh = { ...limit, used: row?.recipients ?? 0, resetsAt: (day + 1) * DAY_MS }
    known.set(accountId, { day, until: at + LIFE_MS, report: fresh })
    return fresh
  }

  async function lately(accountId: string, at: number): Promise<QuotaReport> {
    const found = known.get(accountId)
    // A clock that stepped back must not prolong anything.
    const fresh = found && found.day === utcDay(at) && at < found.until && at >= found.until - LIFE_MS
    return fresh ? found.report : report(accountId, at)
  }

  return {
    async reserve(accountId, recipients, at) {
      const standing = await lately(accountId, at)
      const { limit, used } = standing
      const params = [accountId, utcDay(at), recipients]
      if (limit === null) return { statement: reserveAny, params, rows: 1 }
      // A day's count only grows: what was too much a moment ago is too much now, and costs no commit.
      if (used + recipients > limit) return standing
      return { statement: reserveWithin, params: [...params, limit], rows: 1 }
    },

    report,
    months: (accountId, at, count) => monthsOf(store, accountId, { at, count }),

    async adjust(accountId, setting, { at, record }) {
      for (;;) {
        const { setting: before } = await report(accountId, at)
        const change = { before, after: setting }
        const writes = [settingWrite(accountId, utcDay(at), change), ...record(change)]
        const committed = await store.commit(writes)
        known.delete(accountId)
        // Somebody else set it meanwhile: the next look has theirs as what was before.
        if (committed.ok) return report(accountId, at)
      }
    },
  }
}
