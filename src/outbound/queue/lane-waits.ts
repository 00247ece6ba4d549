import { statement, type Write } from '#store/store.ts'

/** Something waits in this lane, due at `dueAt`. A lane that is backing off after connection failures keeps its own
 *  later time: the mail in it waits for the lane (promise 4). */
export function laneWaits(accountId: string, recipientDomain: string, dueAt: number): Write {
  return { statement: upsert, params: [accountId, recipientDomain, dueAt], rows: 1 }
}

const upsert = statement(
  'queue.lane-waits',
  `insert into lane (account_id, recipient_domain, due_at, failures) values ($1, $2, $3, 0)
   on conflict (account_id, recipient_domain) do update set due_at =
     case when lane.failures > 0 and lane.due_at < ${Number.MAX_SAFE_INTEGER} then lane.due_at
          when lane.due_at < excluded.due_at then lane.due_at
          else excluded.due_at end`,
)

/** Nothing in this lane could even be attempted: all of it waits until `dueAt`. */
export function laneBacksOff(accountId: string, recipientDomain: string, dueAt: number): Write {
  return { statement: backOff, params: [accountId, recipientDomain, dueAt], rows: 1 }
}

const backOff = statement(
  'queue.lane-backs-off',
  `insert into lane (account_id, recipient_domain, due_at, failures) values ($1, $2, $3, 1)
   on conflict (account_id, recipient_domain) do update set due_at = excluded.due_at, failures = lane.failures + 1`,
)

/** The lane's host answered: what waits in it is due at its own times again. */
export function laneRecovers(accountId: string, recipientDomain: string): Write {
  return { statement: recover, params: [accountId, recipientDomain] }
}

const recover = statement(
  'queue.lane-recovers',
  `update lane set failures = 0, due_at = coalesce((select min(d.due_at) from delivery d
      where d.state = 'waiting' and d.account_id = $1 and d.recipient_domain = $2), ${Number.MAX_SAFE_INTEGER})
    where account_id = $1 and recipient_domain = $2`,
)
