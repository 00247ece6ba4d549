import { type Store, statement } from '#store/store.ts'
import type { Lane } from './lane.ts'

/** How often in a row no host of the lane answered. */
export async function laneFailures(store: Store, lane: Lane): Promise<number> {
  const row = await store.get(failures, [lane.accountId, lane.recipientDomain])
  return row?.failures ?? 0
}

const failures = statement<{ failures: number }>(
  'queue.lane-failures',
  'select failures from lane where account_id = $1 and recipient_domain = $2',
)
