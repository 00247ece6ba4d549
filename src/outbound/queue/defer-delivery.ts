import type { Cause } from '#model/event.ts'
import { statement, type Write } from '#store/store.ts'
import { type ClaimedDelivery, laneOf } from './claimed-delivery.ts'
import { laneWaits } from './lane-waits.ts'

export interface Deferral {
  readonly inMs: number
  readonly reply: string | null
  readonly cause: Cause
}

/** Back to waiting after an attempt, for the holder of the claim only. */
export function deferDelivery(delivery: ClaimedDelivery, { inMs, reply, cause }: Deferral): readonly Write[] {
  return [
    { statement: defer, params: [delivery.id, inMs, reply, cause, delivery.claimToken], rows: 1 },
    laneWaits(laneOf(delivery), inMs),
  ]
}

const defer = statement(
  'queue.defer',
  `update delivery set state = 'waiting', due_at = {now} + $2, attempts = attempts + 1, last_reply = $3,
     last_cause = $4, claim_node = null, claim_token = null where id = $1 and state = 'claimed' and claim_token = $5`,
)
