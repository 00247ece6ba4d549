import type { Address } from '#model/address.ts'
import { type Store, statement } from '#store/store.ts'

export interface LaneRow {
  readonly account_id: string
  readonly recipient_domain: string
  readonly failures: number
}

/** The longest a due time may honestly lie ahead. One further away was written before the clock stepped back, and is
 *  due now (promise 3). */
const LONGEST_BACKOFF_MS = 12 * 3_600_000

/** Lanes with something due, those that wait longest first. */
export async function dueLanes(store: Store, limit: number): Promise<LaneRow[]> {
  return store.all(due, [limit])
}

const due = statement<LaneRow>(
  'queue.lanes-due',
  `select account_id, recipient_domain, failures from lane
    where due_at <= {now} or (due_at > {now} + ${LONGEST_BACKOFF_MS} and due_at < ${Number.MAX_SAFE_INTEGER})
    order by due_at limit $1`,
)

export interface ClaimedRow {
  readonly id: string
  readonly message_id: string
  readonly recipient: Address
  readonly recipient_domain: string
  readonly attempts: number
  readonly expires_at: number
  readonly created_at: number
}

export interface Claim {
  readonly lane: LaneRow
  readonly limit: number
  readonly node: string
  readonly token: string
}

/** Claims the oldest due deliveries of a lane and sets the lane's next time, in one set. The lane's row is locked
 *  first: whoever adds to the lane meanwhile waits for that lock or is seen here, so no waiting delivery is ever left
 *  without a lane that names it. */
export async function claimLane(store: Store, { lane, limit, node, token }: Claim): Promise<ClaimedRow[]> {
  const key = [lane.account_id, lane.recipient_domain] as const
  const result = await store.commit([
    { statement: lockLane, params: key },
    { statement: claim, params: [...key, limit, node, token] },
    { statement: advanceLane, params: key },
    { statement: dropLane, params: key },
  ])
  // Rows arrive in the shape that `returning` names.
  const rows = result.ok ? (result.rows[1] as ClaimedRow[]) : []
  if (rows.length === 0 && lane.failures > 0) await store.commit([{ statement: forgetLane, params: key }])
  return rows
}

const lockLane = statement(
  'queue.lane-lock',
  'update lane set due_at = due_at where account_id = $1 and recipient_domain = $2',
)

const returning = 'returning id, message_id, recipient, recipient_domain, attempts, expires_at, created_at'
const overdue = `due_at <= {now} or due_at > {now} + ${LONGEST_BACKOFF_MS}`
const claim = statement<ClaimedRow>('queue.claim', {
  sqlite: `update delivery set state = 'claimed', claim_node = $4, claim_token = $5
    where id in (select id from delivery where state = 'waiting' and account_id = $1 and recipient_domain = $2
      and (${overdue}) order by due_at, id limit $3) ${returning}`,
  postgres: `update delivery set state = 'claimed', claim_node = $4, claim_token = $5
    where id in (select id from delivery where state = 'waiting' and account_id = $1 and recipient_domain = $2
      and (${overdue}) order by due_at, id limit $3 for update skip locked) ${returning}`,
})

/** A lane with failures was given one probe, whose outcome sets the lane's time; until then nothing else tries. */
const PROBE_MS = 60_000

const advanceLane = statement(
  'queue.lane-advance',
  `update lane set due_at = case when failures > 0 then {now} + ${PROBE_MS} else
      coalesce((select min(d.due_at) from delivery d where d.state = 'waiting' and d.account_id = $1
        and d.recipient_domain = $2), ${Number.MAX_SAFE_INTEGER}) end
    where account_id = $1 and recipient_domain = $2`,
)

const dropLane = statement(
  'queue.lane-drop',
  `delete from lane where account_id = $1 and recipient_domain = $2 and failures = 0 and due_at = ${Number.MAX_SAFE_INTEGER}`,
)

/** A lane with failures is remembered until its host answers or nothing is left to wait for it. */
const forgetLane = statement(
  'queue.lane-forget',
  `delete from lane where account_id = $1 and recipient_domain = $2 and failures > 0 and not exists (
     select 1 from delivery d where d.state = 'waiting' and d.account_id = $1 and d.recipient_domain = $2)`,
)
