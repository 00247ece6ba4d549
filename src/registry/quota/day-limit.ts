import { type Store, statement, type Write } from '#store/store.ts'
import { nextQuota, type QuotaGrowth } from './next-quota.ts'
import { DAY_MS } from './utc-day.ts'

/** An account's quota: by itself, or as the operator says. */
export type QuotaSetting =
  | { readonly mode: 'automatic' | 'unlimited' }
  | { readonly mode: 'fixed'; readonly value: number }

export interface DayLimit {
  readonly setting: QuotaSetting
  /** What it has grown to; null where quotas are not kept. */
  readonly automatic: number | null
  /** What counts: recipients a day; null for any number. */
  readonly limit: number | null
}

/** How many recipients were suppressed for what they said of an account's mail, since a time in milliseconds. */
export type Reputation = (
  accountId: string,
  since: number,
) => Promise<{ readonly hardBounces: number; readonly complaints: number }>

/** What new accounts may send, and what makes it grow. */
export interface QuotaRule extends QuotaGrowth {
  readonly reputation: Reputation
}

interface Row {
  readonly automatic: number
  readonly day: number
  readonly mode: string
  readonly fixed: number | null
}

const ofAccount = statement<Row>(
  'quota.of-account',
  'select automatic, day, mode, fixed from account_quota where account_id = $1',
)

const usageSince = statement<{ readonly busiest: number; readonly sent: number }>(
  'quota.usage-since',
  `select coalesce(max(recipients), 0) as busiest, coalesce(sum(recipients), 0) as sent from quota_usage
   where account_id = $1 and day >= $2 and day < $3`,
)

// Whoever reckons the same day first is right: the days before it do not change any more.
const grow = statement(
  'quota.grow',
  `insert into account_quota (account_id, automatic, day, mode, fixed) values ($1, $2, $3, 'automatic', null)
   on conflict (account_id) do update set automatic = excluded.automatic, day = excluded.day
   where account_quota.day < excluded.day`,
)

/** The limit of one day (UTC, since 1970); on the first question of a day the quota grows, if it does. */
export async function dayLimit(
  { store, rule }: { readonly store: Store; readonly rule: QuotaRule | undefined },
  accountId: string,
  day: number,
): Promise<DayLimit> {
  const row = await store.get(ofAccount, [accountId])
  const setting = settingOf(row)
  const automatic = rule ? await grown(store, { rule, accountId, day, row }) : null
  const limit = setting.mode === 'fixed' ? setting.value : setting.mode === 'unlimited' ? null : automatic
  return { setting, automatic, limit }
}

async function grown(
  store: Store,
  asked: {
    readonly rule: QuotaRule
    readonly accountId: string
    readonly day: number
    readonly row: Row | undefined
  },
): Promise<number> {
  const { rule, accountId, day, row } = asked
  // What the operator raised since counts for accounts that were smaller.
  const before = Math.max(row?.automatic ?? 0, rule.start)
  if (row && row.day >= day) return before
  const after = row ? await reckon(store, { rule, accountId, from: row.day, day, before }) : before
  await store.commit([{ statement: grow, params: [accountId, after, day] }])
  return after
}

async function reckon(
  store: Store,
  asked: {
    readonly rule: QuotaRule
    readonly accountId: string
    readonly from: number
    readonly day: number
    readonly before: number
  },
): Promise<number> {
  const { rule, accountId, from, day, before } = asked
  const usage = await store.get(usageSince, [accountId, from, day])
  if (!usage || usage.busiest * 2 < before) return before
  const reputation = await rule.reputation(accountId, from * DAY_MS)
  return nextQuota(before, { ...usage, ...reputation }, rule)
}

const set = statement(
  'quota.set',
  `insert into account_quota (account_id, automatic, day, mode, fixed)
   values ($1, 0, $2, $3, cast($4 as bigint))
   on conflict (account_id) do update set mode = excluded.mode, fixed = excluded.fixed
   where account_quota.mode = $5 and account_quota.fixed is not distinct from cast($6 as bigint)`,
)

/** The operator's word, in place of `before`, or the set conflicts. */
export function settingWrite(
  accountId: string,
  day: number,
  { before, after }: { readonly before: QuotaSetting; readonly after: QuotaSetting },
): Write {
  const params = [accountId, day, after.mode, valueOf(after), before.mode, valueOf(before)]
  return { statement: set, params, rows: 1 }
}

function valueOf(setting: QuotaSetting): number | null {
  return setting.mode === 'fixed' ? setting.value : null
}

function settingOf(row: Row | undefined): QuotaSetting {
  if (row?.mode === 'fixed' && row.fixed !== null) return { mode: 'fixed', value: row.fixed }
  return { mode: row?.mode === 'unlimited' ? 'unlimited' : 'automatic' }
}
