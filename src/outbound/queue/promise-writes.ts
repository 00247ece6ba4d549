import type { Write } from '#store/store.ts'
import type { QueuedMessage } from './claimed-delivery.ts'
import { insertDelivery, insertMessage, type NewDelivery } from './insert-promise.ts'
import { laneKey } from './lane.ts'
import { laneWaits } from './lane-waits.ts'

/** What promises a message, but for its body: its row, its deliveries, and the lanes of those that are born waiting.
 *  Whoever commits them in a set of their own, with the body's writes, has promised it as `Queue.promise` does, and
 *  wakes the queue afterwards. */
export function promiseWrites(
  message: QueuedMessage,
  deliveries: readonly Omit<NewDelivery, 'message'>[],
  suppressed: readonly string[],
): Write[] {
  const writes = [insertMessage(message, deliveries.length, suppressed)]
  const lanes = new Map<string, Write>()
  for (const delivery of deliveries) {
    writes.push(insertDelivery({ ...delivery, message }))
    const lane = { accountId: message.accountId, recipientDomain: delivery.recipientDomain }
    if (delivery.claim === undefined) lanes.set(laneKey(lane), laneWaits(lane, 0))
  }
  // In one order, so that two promises cannot each hold the lane that the other wants.
  for (const [, write] of [...lanes].toSorted(([a], [b]) => (a < b ? -1 : 1))) writes.push(write)
  return writes
}
