import { type Store, statement, type Write } from '#store/store.ts'
import { type Conduct, nextQuota, type QuotaGrowth, type QuotaReason } from './next-quota.ts'
import { DAY_MS } from './utc-day.ts'

/** An account's quota: by itself, or as the operator says. */
export type QuotaSetting =
  | { readonly mode: 'automatic' | 'unlimited' }
  | { readonly mode: 'fixed'; readonly value: number }

/** The last time that a quota was reckoned with something to go by. */
export interface LastReckoning {
  readonly reason: QuotaReason
  /** Days since 1970 (UTC). */
  readonly day: number
  readonly before: number
  readonly after: number
  /** What it was judged by. */
  readonly lately: Conduct
}

export interface DayLimit {
  readonly setting: QuotaSetting
  /** What it has grown or shrunk to; null where quotas are not kept. */
  readonly automatic: number | null
  /** What counts: recipients a day; null for any number. */
  readonly limit: number | null
  /** Why `automatic` is what it is; null where it is what it began with. */
  readonly reckoned: LastReckoning | null
}

/** What became of an account's mail from one time to another, in milliseconds. */
export type Reputation = (accountId: string, since: number, until: number) => Promise<Conduct>

/** What new accounts may send, and what makes it grow and shrink. */
export interface QuotaRule extends QuotaGrowth {
  /** Days before a day whose mail it is judged by. */
  readonly windowDays: number
  readonly reputation: Reputation
}

interface Row {
  readonly automatic: number
  readonly day: number
  readonly mode: string
  readonly fixed: number | null
  readonly reckoned: string | null
}

const ofAccount = statement<Row>(
  'quota.of-account',
  'select automatic, day, mode, fixed, reckoned from account_quota where account_id = $1',
)

const busiestDay = statement<{ readonly busiest: number; readonly sent: number }>(
  'quota.busiest-day',
  `select coalesce(max(recipients), 0) as busiest, coalesce(sum(recipients), 0) as sent from quota_usage
   where account_id = $1 and day >= $2 and day < $3`,
)

// Whoever reckons the same day first is right: the days before it do not change any more.
const reckonWrite = statement(
  'quota.reckon',
  `insert into account_quota (account_id, automatic, day, mode, fixed, reckoned) values ($1, $2, $3, 'automatic', null, $4)
   on conflict (account_id) do update set automatic = excluded.automatic, day = excluded.day, reckoned = excluded.reckoned
   where account_quota.day < excluded.day`,
)

interface Grown {
  readonly automatic: number
  readonly reckoned: LastReckoning | null
}

/** The limit of one day (UTC, since 1970); on the first question of a day the quota is reckoned anew. */
export async function dayLimit(
  { store, rule }: { readonly store: Store; readonly rule: QuotaRule | undefined },
  accountId: string,
  day: number,
): Promise<DayLimit> {
  const row = await store.get(ofAccount, [accountId])
  const setting = settingOf(row)
  const grown = rule && (await grownTo(store, { rule, accountId, day, row }))
  const { automatic = null, reckoned = null } = grown ?? {}
  const limit = setting.mode === 'fixed' ? setting.value : setting.mode === 'unlimited' ? null : automatic
  return { setting, automatic, limit, reckoned }
}

async function grownTo(
  store: Store,
  asked: {
    readonly rule: QuotaRule
    readonly accountId: string
    readonly day: number
    readonly row: Row | undefined
  },
): Promise<Grown> {
  const { rule, accountId, day, row } = asked
  const before = standingAt(row, rule)
  if (row && row.day >= day) return before
  const after = row ? await reckon(store, { ...asked, from: row.day, before }) : before
  const reckoned = after.reckoned && JSON.stringify(after.reckoned)
  await store.commit([{ statement: reckonWrite, params: [accountId, after.automatic, day, reckoned] }])
  return after
}

/** What the operator raised since counts for accounts that were smaller, unless they were made so. */
function standingAt(row: Row | undefined, { start }: QuotaRule): Grown {
  // Written here, as such.
  const reckoned = row?.reckoned ? (JSON.parse(row.reckoned) as LastReckoning) : null
  const shrunk = reckoned !== null && (reckoned.reason === 'hard-bounces' || reckoned.reason === 'complaints')
  const automatic = row?.automatic ?? 0
  return { automatic: shrunk && automatic > 0 ? automatic : Math.max(automatic, start), reckoned }
}

async function reckon(
  store: Store,
  asked: {
    readonly rule: QuotaRule
    readonly accountId: string
    readonly from: number
    readonly day: number
    readonly before: Grown
  },
): Promise<Grown> {
  const { rule, accountId, from, day, before } = asked
  const until = day * DAY_MS
  const [usage, since, lately] = await Promise.all([
    store.get(busiestDay, [accountId, from, day]),
    rule.reputation(accountId, from * DAY_MS, until),
    rule.reputation(accountId, Math.min(from, day - rule.windowDays) * DAY_MS, until),
  ])
  const { busiest = 0, sent = 0 } = usage ?? {}
  // Days of silence say nothing new.
  if (sent === 0 && since.settled === 0 && since.complaints === 0) return before
  const { quota, reason } = nextQuota(before.automatic, { busiest, since, lately }, rule)
  const reckoned = { reason, day, before: before.automatic, after: quota, lately }
  return { automatic: quota, reckoned }
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
