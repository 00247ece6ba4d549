import { statement } from '#store/store.ts'
import { laneWaits } from './lane-waits.ts'
import { lanesOf } from './lanes-of.ts'
import { commitMoves, type HandsWorld, type Moved, moveSelected } from './move-selected.ts'
import { eventOfHands } from './selected-deliveries.ts'
import type { Selection } from './selection.ts'

/** Lets go on what was held, due now. A lane that is backing off keeps its time. */
export function releaseDeliveries(world: HandsWorld, selection: Selection, most: number): Promise<Moved> {
  const { store, eventWrite, now } = world
  return moveSelected(store, { selection, from: ['held'], most }, (batch) =>
    commitMoves(store, batch, (rows) => [
      ...rows.flatMap((row) => [
        { statement: release, params: [row.id], rows: 1 },
        eventWrite(eventOfHands('released', row, now())),
      ]),
      // After the deliveries, so that whoever holds a lane's lock now is waited for and misses none of them.
      ...lanesOf(rows).map((lane) => laneWaits(lane, 0)),
    ]),
  )
}

const release = statement(
  'queue.release',
  `update delivery set state = 'waiting', due_at = {now} where id = $1 and state = 'held'`,
)
