import { type Store, statement } from '#store/store.ts'

export interface QueueCounts {
  readonly waiting: number
  readonly claimed: number
  readonly held: number
}

/** The queue at a glance. Times in ms. */
export interface QueueStats {
  readonly totals: QueueCounts
  /** Those with the most, at most 20 of each. */
  readonly accounts: readonly (QueueCounts & { readonly accountId: string; readonly name: string | null })[]
  readonly domains: readonly (QueueCounts & { readonly domain: string })[]
  readonly lanes: { readonly total: number; readonly due: number; readonly failing: number }
  /** Lanes whose hosts did not answer, the most often first, at most 20. */
  readonly failing: readonly FailingLane[]
  /** What expires first. */
  readonly oldest: OldestDelivery | null
}

export interface FailingLane {
  readonly accountId: string
  readonly domain: string
  readonly failures: number
  readonly nextAttemptAt: number
}

export interface OldestDelivery {
  readonly id: string
  readonly domain: string
  readonly state: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** Counted along indexes that hold all that is counted, but in scans none the less: not for the hot path. */
export async function readQueueStats(store: Store): Promise<QueueStats> {
  const [[totals], accounts, domains, [lanes], failing, [oldest]] = await Promise.all([
    store.all(countAll, []),
    store.all(countByAccount, []),
    store.all(countByDomain, []),
    store.all(countLanes, []),
    store.all(failingLanes, []),
    store.all(firstToExpire, []),
  ])
  return {
    totals: { waiting: totals?.waiting ?? 0, claimed: totals?.claimed ?? 0, held: totals?.held ?? 0 },
    accounts: accounts.map(({ account_id: accountId, ...rest }) => ({ accountId, ...rest })),
    domains: domains.map(({ recipient_domain: domain, ...rest }) => ({ domain, ...rest })),
    lanes: { total: lanes?.total ?? 0, due: lanes?.due ?? 0, failing: lanes?.failing ?? 0 },
    failing: failing.map((row) => ({
      accountId: row.account_id,
      domain: row.recipient_domain,
      failures: row.failures,
      nextAttemptAt: row.due_at,
    })),
    oldest: oldest
      ? {
          id: oldest.id,
          domain: oldest.recipient_domain,
          state: oldest.state,
          createdAt: oldest.created_at,
          expiresAt: oldest.expires_at,
        }
      : null,
  }
}

const MOST = 20

const count = (state: string) => `(select count(*) from delivery where state = '${state}')`
const countAll = statement<QueueCounts>(
  'queue.count',
  `select ${count('waiting')} as waiting, ${count('claimed')} as claimed, ${count('held')} as held`,
)

/** Each state by itself, since each has an index of its own. */
const countBy = (column: string) => {
  const part = (state: string) => {
    const counts = ['waiting', 'claimed', 'held'].map(
      (each) => `${each === state ? 'count(*)' : '0'} as ${each}`,
    )
    return `select ${column}, ${counts.join(', ')} from delivery where state = '${state}' group by ${column}`
  }
  return `select ${column}, sum(waiting) as waiting, sum(claimed) as claimed, sum(held) as held
    from (${part('waiting')} union all ${part('claimed')} union all ${part('held')}) as counted
    group by ${column} order by sum(waiting) + sum(claimed) + sum(held) desc, ${column} limit ${MOST}`
}
const countByAccount = statement<QueueCounts & { account_id: string; name: string | null }>(
  'queue.count-by-account',
  `select c.account_id, a.name, c.waiting, c.claimed, c.held from (${countBy('account_id')}) as c
     left join account a on a.id = c.account_id
   order by c.waiting + c.claimed + c.held desc, c.account_id`,
)
const countByDomain = statement<QueueCounts & { recipient_domain: string }>(
  'queue.count-by-domain',
  countBy('recipient_domain'),
)

const countLanes = statement<{ total: number; due: number; failing: number }>(
  'queue.count-lanes',
  `select count(*) as total, coalesce(sum(case when due_at <= {now} then 1 else 0 end), 0) as due,
     coalesce(sum(case when failures > 0 then 1 else 0 end), 0) as failing from lane`,
)
const failingLanes = statement<{
  account_id: string
  recipient_domain: string
  failures: number
  due_at: number
}>(
  'queue.lanes-failing',
  `select account_id, recipient_domain, failures, due_at from lane where failures > 0
    order by failures desc, due_at, account_id, recipient_domain limit ${MOST}`,
)
const firstToExpire = statement<{
  id: string
  recipient_domain: string
  state: string
  created_at: number
  expires_at: number
}>(
  'queue.first-to-expire',
  `select id, recipient_domain, state, created_at, expires_at from delivery
    where state in ('waiting', 'claimed', 'held') order by expires_at limit 1`,
)

/** Domains that the queue has mail for, so that somebody can ask where they are served. At most `limit`, the lowest
 *  names first. */
export async function queuedDomains(store: Store, limit: number): Promise<readonly string[]> {
  return (await store.all(domainsInQueue, [limit])).map(({ recipient_domain }) => recipient_domain)
}

const domainsInQueue = statement<{ recipient_domain: string }>(
  'queue.domains',
  `select recipient_domain from lane union select recipient_domain from delivery where state = 'held'
    order by recipient_domain limit $1`,
)
