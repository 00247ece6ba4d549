import type { StsMode, StsPolicy } from '#protocol/mta-sts.ts'
import { type Store, statement } from '#store/store.ts'

/** The MTA-STS policy of a recipient domain as it was fetched. Times are milliseconds since 1970. */
export interface CachedPolicy extends Pick<StsPolicy, 'mode' | 'mx'> {
  /** In lower case. */
  readonly domain: string
  /** What the TXT record called it. */
  readonly id: string
  readonly fetchedAt: number
  readonly expiresAt: number
}

/** Policies on disk, so that no restart takes the protection away. A `none` is kept like the others: it says that the
 *  policy before it holds no more. */
export interface StsCache {
  /** Undefined where none is known that lasts beyond `at`. */
  find(domain: string, at: number): Promise<CachedPolicy | undefined>
  /** Takes the place of what was fetched before it. */
  keep(policy: CachedPolicy): Promise<void>
  /** Deletes what has expired, a thousand at most; returns how many. */
  sweep(at: number): Promise<number>
}

interface PolicyRow {
  readonly policy_id: string
  readonly mode: StsMode
  /** The patterns, a blank between each two. */
  readonly mx: string
  readonly fetched_at: number
  readonly expires_at: number
}

const find = statement<PolicyRow>(
  'sts-policy.find',
  'select policy_id, mode, mx, fetched_at, expires_at from sts_policy where domain = $1 and expires_at > $2',
)

// Of two nodes that fetch at the same time, the later fetch counts.
const keep = statement(
  'sts-policy.keep',
  `insert into sts_policy (domain, policy_id, mode, mx, fetched_at, expires_at) values ($1, $2, $3, $4, $5, $6)
   on conflict (domain) do update set policy_id = excluded.policy_id, mode = excluded.mode, mx = excluded.mx,
     fetched_at = excluded.fetched_at, expires_at = excluded.expires_at
   where excluded.fetched_at >= sts_policy.fetched_at or sts_policy.expires_at <= excluded.fetched_at`,
)

const sweep = statement(
  'sts-policy.sweep',
  `delete from sts_policy where domain in (select domain from sts_policy where expires_at <= $1 limit 1000)
   returning domain`,
)

export function openStsCache(store: Store): StsCache {
  return {
    async find(domain, at) {
      const row = await store.get(find, [domain, at])
      return row && policyOf(domain, row)
    },
    async keep({ domain, id, mode, mx, fetchedAt, expiresAt }) {
      const params = [domain, id, mode, mx.join(' '), fetchedAt, expiresAt]
      await store.commit([{ statement: keep, params }])
    },
    async sweep(at) {
      const result = await store.commit([{ statement: sweep, params: [at] }])
      return result.ok ? (result.rows[0]?.length ?? 0) : 0
    },
  }
}

function policyOf(domain: string, row: PolicyRow): CachedPolicy {
  return {
    domain,
    id: row.policy_id,
    mode: row.mode,
    mx: row.mx === '' ? [] : row.mx.split(' '),
    fetchedAt: row.fetched_at,
    expiresAt: row.expires_at,
  }
}
