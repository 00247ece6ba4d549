import type { Address } from '#model/address.ts'
import type { Cause } from '#model/event.ts'
import type { CommitResult, Write } from '#store/store.ts'
import type { QueuedMessage } from './claimed-delivery.ts'
import { readMessages } from './message-by-id.ts'
import { type HandsWorld, type Moved, moveSelected } from './move-selected.ts'
import { eventOfHands, type SelectedDelivery } from './selected-deliveries.ts'
import type { Selection } from './selection.ts'
import { settleUnclaimed } from './settle-delivery.ts'

/** One whose time an operator ended, for whoever tells its sender. */
export interface EndedDelivery {
  readonly deliveryId: string
  readonly message: QueuedMessage
  readonly recipient: Address
  /** Of the last attempt; `expired` where there was none. */
  readonly cause: Cause
  readonly attempts: number
  readonly at: number
  readonly reply?: string
}

export interface ExpireWorld extends HandsWorld {
  readonly bodyRetentionMs: number
  /** Commits the set that settles it, with what tells its sender. */
  readonly settleEnded: (ended: EndedDelivery, set: readonly Write[]) => Promise<CommitResult>
}

/** Each has a notice of its own to make, which reads the message's body. */
const AT_ONCE = 20

/** Ends the time of what waits or is held: failed, as if it had expired. */
export function expireDeliveries(world: ExpireWorld, selection: Selection, most: number): Promise<Moved> {
  const message = readMessages(world.store)
  return moveSelected(world.store, { selection, from: ['waiting', 'held'], most }, async (batch) => {
    let changed = 0
    for (let from = 0; from < batch.length; from += AT_ONCE) {
      const some = batch.slice(from, from + AT_ONCE)
      const ended = await Promise.all(some.map(async (row) => end(world, row, await message(row.message_id))))
      changed += ended.filter((settled) => settled).length
    }
    return changed
  })
}

/** False: it had moved on. */
async function end(world: ExpireWorld, row: SelectedDelivery, message: QueuedMessage): Promise<boolean> {
  const at = world.now()
  const cause = 'expired'
  const releaseAt = message.previewEnabled ? at + world.bodyRetentionMs : at
  const reply = row.last_reply
  const ended = {
    deliveryId: row.id,
    message,
    recipient: row.recipient,
    cause: row.last_cause ?? cause,
    attempts: row.attempts,
    at,
    ...(reply !== null && { reply }),
  }
  const result = await world.settleEnded(ended, [
    ...settleUnclaimed(row.id, message, { state: 'failed', at, reply, cause, releaseAt }),
    world.eventWrite(
      eventOfHands('failed', row, at, { cause, terminal: true, ...(reply !== null && { smtpReply: reply }) }),
    ),
  ])
  return result.ok
}
