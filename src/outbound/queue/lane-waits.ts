import { statement, type Write } from '#store/store.ts'
import type { Lane } from './lane.ts'

/** Every time in a lane comes from the database's clock, so that nodes whose own clocks differ agree on what is due. */

/** Something waits in this lane, due in `inMs`. A lane that is backing off after connection failures keeps its own
 *  later time: the mail in it waits for the lane (promise 4). */
export function laneWaits(lane: Lane, inMs: number): Write {
  return { statement: upsert, params: [lane.accountId, lane.recipientDomain, inMs], rows: 1 }
}

const upsert = statement(
  'queue.lane-waits',
  `insert into lane (account_id, recipient_domain, due_at, failures) values ($1, $2, {now} + $3, 0)
   on conflict (account_id, recipient_domain) do update set due_at =
     case when lane.failures > 0 or lane.due_at < excluded.due_at then lane.due_at else excluded.due_at end`,
)

/** Nothing in this lane could even be attempted: all of it waits for `forMs`. */
export function laneBacksOff(lane: Lane, forMs: number): Write {
  return { statement: backOff, params: [lane.accountId, lane.recipientDomain, forMs], rows: 1 }
}

const backOff = statement(
  'queue.lane-backs-off',
  `insert into lane (account_id, recipient_domain, due_at, failures) values ($1, $2, {now} + $3, 1)
   on conflict (account_id, recipient_domain) do update
     set due_at = excluded.due_at, failures = lane.failures + 1`,
)

/** The lane's host answered: what waits in it is due at its own times again. */
export function laneRecovers(lane: Lane): readonly Write[] {
  const key = [lane.accountId, lane.recipientDomain]
  return [
    { statement: lockLane, params: key },
    { statement: recover, params: key },
    { statement: dropIdleLane, params: key },
  ]
}

/** Comes before whatever looks at a lane's deliveries to set the lane's time. On PostgreSQL an update that had to wait
 *  for a lane's lock would see the new lane and the old deliveries: it would miss the one that its predecessor added,
 *  and leave it with no lane that names it. */
export const lockLane = statement<{ failures: number }>(
  'queue.lane-lock',
  'update lane set due_at = due_at where account_id = $1 and recipient_domain = $2 returning failures',
)

/** The time of a lane in which nothing waits, until it is dropped in the same set. */
export const NEVER = Number.MAX_SAFE_INTEGER

export const earliestDue = `coalesce((select min(d.due_at) from delivery d
  where d.state = 'waiting' and d.account_id = $1 and d.recipient_domain = $2), ${NEVER})`

const recover = statement(
  'queue.lane-recovers',
  `update lane set failures = 0, due_at = ${earliestDue} where account_id = $1 and recipient_domain = $2`,
)

export const dropIdleLane = statement(
  'queue.lane-drop-idle',
  `delete from lane where account_id = $1 and recipient_domain = $2 and failures = 0 and due_at = ${NEVER}`,
)
