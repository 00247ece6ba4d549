import type { Cause } from '#model/event.ts'
import type { SettledState } from '#model/delivery.ts'
import { statement, type Write } from '#store/store.ts'
import type { ClaimedDelivery, QueuedMessage } from './claimed-delivery.ts'
import { laneWaits } from './lane-waits.ts'

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
  const outcome = [delivery.id, state, at, reply, cause]
  const transition: Write =
    state === 'delivered'
      ? { statement: settleAny, params: outcome, rows: 1 }
      : { statement: settleClaimed, params: [...outcome, delivery.claimToken], rows: 1 }
  return [transition, ...oneSettled(delivery.message, releaseAt)]
}

/** The sweeper's transition: whatever holds the delivery, it has passed its end. */
export function settleExpired(delivery: Omit<ClaimedDelivery, 'claimToken'>, settlement: Settlement): readonly Write[] {
  const { state, at, reply, cause, releaseAt } = settlement
  return [
    { statement: settleAny, params: [delivery.id, state, at, reply, cause], rows: 1 },
    ...oneSettled(delivery.message, releaseAt),
  ]
}

const settle = (condition: string) =>
  `update delivery set state = $2, settled_at = $3, last_reply = $4, last_cause = $5, attempts = attempts + 1,
     claim_node = null, claim_token = null where id = $1 and ${condition}`
const settleAny = statement('queue.settle-any', settle(`state in ('waiting', 'claimed')`))
const settleClaimed = statement('queue.settle-claimed', settle(`state = 'claimed' and claim_token = $6`))

function oneSettled(message: QueuedMessage, releaseAt: number): readonly Write[] {
  return [
    { statement: countDown, params: [message.id], rows: 1 },
    { statement: releaseBody, params: [message.bodyId, message.id, releaseAt] },
  ]
}

const countDown = statement('queue.one-settled', 'update message set unsettled = unsettled - 1 where id = $1')
const releaseBody = statement(
  'queue.release-body',
  `update body set release_at = $3 where id = $1 and exists (select 1 from message where id = $2 and unsettled = 0)`,
)

export interface Deferral {
  readonly dueAt: number
  readonly reply: string | null
  readonly cause: Cause
  /** 1 when the delivery itself was attempted, 0 when its lane could not be reached. */
  readonly attempted: 0 | 1
}

/** Back to waiting, for the holder of the claim only. */
export function deferDelivery(delivery: ClaimedDelivery, deferral: Deferral): readonly Write[] {
  return [
    {
      statement: defer,
      params: [delivery.id, deferral.dueAt, deferral.attempted, deferral.reply, deferral.cause, delivery.claimToken],
      rows: 1,
    },
    laneWaits(delivery.message.accountId, delivery.recipientDomain, deferral.dueAt),
  ]
}

const defer = statement(
  'queue.defer',
  `update delivery set state = 'waiting', due_at = $2, attempts = attempts + $3, last_reply = $4, last_cause = $5,
     claim_node = null, claim_token = null where id = $1 and state = 'claimed' and claim_token = $6`,
)
