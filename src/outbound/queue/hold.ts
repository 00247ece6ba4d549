import { statement } from '#store/store.ts'
import { commitMoves, type HandsWorld, type Moved, moveSelected } from './move-selected.ts'
import { eventOfHands } from './selected-deliveries.ts'
import type { Selection } from './selection.ts'

/** Keeps back what waits, until it is released or expires. A lane in which nothing waits any more is dropped when its
 *  turn comes, as after any last delivery (`claim-lane.ts`). */
export function holdDeliveries(world: HandsWorld, selection: Selection, most: number): Promise<Moved> {
  const { store, eventWrite, now } = world
  return moveSelected(store, { selection, from: ['waiting'], most }, (batch) =>
    commitMoves(store, batch, (rows) =>
      rows.flatMap((row) => [
        { statement: hold, params: [row.id], rows: 1 },
        eventWrite(eventOfHands('held', row, now())),
      ]),
    ),
  )
}

const hold = statement('queue.hold', `update delivery set state = 'held' where id = $1 and state = 'waiting'`)
