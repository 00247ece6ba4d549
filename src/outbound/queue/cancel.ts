import { commitMoves, type HandsWorld, type Moved, moveSelected } from './move-selected.ts'
import { eventOfHands } from './selected-deliveries.ts'
import type { Selection } from './selection.ts'
import { settleUnclaimed } from './settle-delivery.ts'

/** Takes out what waits or is held: dropped, and nobody is told but the timeline. What is being attempted is left alone,
 *  since it may be gone already. */
export function cancelDeliveries(
  world: HandsWorld & { readonly bodyRetentionMs: number },
  selection: Selection,
  most: number,
): Promise<Moved> {
  const { store, eventWrite, now, bodyRetentionMs } = world
  return moveSelected(store, { selection, from: ['waiting', 'held'], most }, (batch) =>
    commitMoves(store, batch, (rows) => {
      const at = now()
      return rows.flatMap((row) => [
        ...settleUnclaimed(
          row.id,
          { id: row.message_id },
          {
            state: 'dropped',
            at,
            reply: row.last_reply,
            cause: 'cancelled',
            releaseAt: row.preview_enabled === 1 ? at + bodyRetentionMs : at,
          },
        ),
        eventWrite(eventOfHands('dropped', row, at, { cause: 'cancelled', terminal: true })),
      ])
    }),
  )
}
