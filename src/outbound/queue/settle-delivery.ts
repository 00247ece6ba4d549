import type { SettledState } from '#model/delivery.ts'
import type { Cause } from '#model/event.ts'
import { statement, type Write } from '#store/store.ts'
import type { ClaimedDelivery, QueuedMessage } from './claimed-delivery.ts'

export interface Settlement {
  readonly state: Exclude<SettledState, 'rejected'>
  readonly at: number
  readonly reply: string | null
  readonly cause: Cause | null
  /** When the body may go, once this was the last delivery of its message. */
  readonly releaseAt: number
}

/** The transition to a terminal state and what follows from it: one less unsettled, and the body released with the
 *  last one. A 250 settles any unsettled delivery, since the mail is gone; everything else needs the claim. */
export function settleDelivery(delivery: ClaimedDelivery, settlement: Settlement): readonly Write[] {
  const { state, at, reply, cause, releaseAt } = settlement
  const outcome = [delivery.id, state, at, reply, cause, 1]
  const transition: Write =
    state === 'delivered'
      ? { statement: settleAny, params: outcome, rows: 1 }
      : { statement: settleClaimed, params: [...outcome, delivery.claimToken], rows: 1 }
  return [transition, ...oneSettled(delivery.message, releaseAt)]
}

/** The sweeper's transition: whatever holds the delivery, it has passed its end. That is no attempt. */
export function settleExpired(id: string, message: QueuedMessage, settlement: Settlement): readonly Write[] {
  const { state, at, reply, cause, releaseAt } = settlement
  return [
    { statement: settleAny, params: [id, state, at, reply, cause, 0], rows: 1 },
    ...oneSettled(message, releaseAt),
  ]
}

/** An operator's transition: of what nobody is attempting, and that is no attempt either. */
export function settleUnclaimed(
  id: string,
  message: Pick<QueuedMessage, 'id'>,
  settlement: Settlement,
): readonly Write[] {
  const { state, at, reply, cause, releaseAt } = settlement
  return [
    { statement: settleIdle, params: [id, state, at, reply, cause, 0], rows: 1 },
    ...oneSettled(message, releaseAt),
  ]
}

const settle = (condition: string) =>
  `update delivery set state = $2, settled_at = $3, last_reply = $4, last_cause = $5, attempts = attempts + $6,
     claim_node = null, claim_token = null where id = $1 and ${condition}`
const settleAny = statement('queue.settle-any', settle(`state in ('waiting', 'claimed', 'held')`))
const settleIdle = statement('queue.settle-unclaimed', settle(`state in ('waiting', 'held')`))
const settleClaimed = statement('queue.settle-claimed', settle(`state = 'claimed' and claim_token = $7`))

function oneSettled(message: Pick<QueuedMessage, 'id'>, releaseAt: number): readonly Write[] {
  return [
    { statement: countDown, params: [message.id], rows: 1 },
    { statement: releaseBody, params: [message.id, releaseAt] },
  ]
}

const countDown = statement('queue.one-settled', 'update message set unsettled = unsettled - 1 where id = $1')
const releaseBody = statement(
  'queue.release-body',
  // The row's own body: a forward that was attempted before it was promised does not know it.
  'update body set release_at = $2 where id = (select body_id from message where id = $1 and unsettled = 0)',
)
