import type { Address } from '#model/address.ts'
import { type Store, statement } from '#store/store.ts'
import type { LaneRow } from './due-lanes.ts'
import { dropIdleLane, earliestDue, lockLane } from './lane-waits.ts'

export interface ClaimedRow {
  readonly id: string
  readonly message_id: string
  readonly recipient: Address
  readonly recipient_domain: string
  readonly attempts: number
  readonly due_at: number
  readonly expires_at: number
  readonly created_at: number
}

export interface Claim {
  readonly lane: LaneRow
  readonly limit: number
  readonly node: string
  readonly token: string
  /** A due time further ahead was written before the clock stepped back, and is due now (promise 3). */
  readonly longestWaitMs: number
}

export interface Claimed {
  /** Oldest first. */
  readonly rows: readonly ClaimedRow[]
  /** Whether the lane is backing off, so that these are probes. */
  readonly failing: boolean
}

/** A lane with failures was given one probe, whose outcome sets the lane's time; until then nothing else tries. */
export const PROBE_MS = 60_000

/** Claims the oldest due deliveries of a lane and sets the lane's next time, in one set. The lane's row is locked
 *  first: whoever adds to the lane meanwhile waits for that lock or is seen here, so no waiting delivery is ever left
 *  without a lane that names it. */
export async function claimLane(store: Store, claimOf: Claim): Promise<Claimed> {
  const { lane, limit, node, token, longestWaitMs } = claimOf
  const key = [lane.account_id, lane.recipient_domain] as const
  const result = await store.commit([
    { statement: lockLane, params: key },
    { statement: claim, params: [...key, limit, node, token, longestWaitMs] },
    { statement: advanceLane, params: key },
    { statement: dropIdleLane, params: key },
  ])
  if (!result.ok) throw new Error(`a claim conflicted in ${result.conflict}`)
  // Rows arrive in the shape that each `returning` names.
  const locked = result.rows[0] as { failures: number }[]
  const rows = result.rows[1] as ClaimedRow[]
  const failing = (locked[0]?.failures ?? 0) > 0
  if (rows.length === 0 && failing) await forgetIdleLane(store, key)
  return { rows: rows.toSorted((a, b) => a.due_at - b.due_at), failing }
}

const mine = `state = 'waiting' and account_id = $1 and recipient_domain = $2`
const oldest = (when: string) =>
  `select id from delivery where ${mine} and ${when} order by due_at, id limit $3`
const returning =
  'returning id, message_id, recipient, recipient_domain, attempts, due_at, expires_at, created_at'

// Two ranges of the index rather than one condition with `or`, which would walk through all that waits in the lane.
// On PostgreSQL the choice is materialized: the planner might otherwise run it again for each row it compares.
export const claim = statement<ClaimedRow>('queue.claim', {
  sqlite: `update delivery set state = 'claimed', claim_node = $4, claim_token = $5
    where id in (select id from (${oldest('due_at <= {now}')})
      union all select id from (${oldest('due_at > {now} + $6')})) ${returning}`,
  postgres: `with chosen as materialized (
      select id from (${oldest('due_at <= {now}')} for update skip locked) as due
      union all select id from (${oldest('due_at > {now} + $6')} for update skip locked) as ahead)
    update delivery set state = 'claimed', claim_node = $4, claim_token = $5
     where id in (select id from chosen) ${returning}`,
})

const advanceLane = statement(
  'queue.lane-advance',
  `update lane set due_at = case when failures > 0 then {now} + ${PROBE_MS} else ${earliestDue} end
    where account_id = $1 and recipient_domain = $2`,
)

/** A lane with failures is remembered until its host answers or nothing is left to wait for it. */
async function forgetIdleLane(store: Store, key: readonly [string, string]): Promise<void> {
  await store.commit([
    { statement: lockLane, params: key },
    { statement: forget, params: key },
  ])
}

const forget = statement(
  'queue.lane-forget',
  `delete from lane where account_id = $1 and recipient_domain = $2 and failures > 0 and not exists (
     select 1 from delivery d where d.state = 'waiting' and d.account_id = $1 and d.recipient_domain = $2)`,
)
