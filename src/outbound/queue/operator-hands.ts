import type { Log } from '#observe/log.ts'
import { cancelDeliveries } from './cancel.ts'
import { type ExpireWorld, expireDeliveries } from './expire.ts'
import { holdDeliveries } from './hold.ts'
import {
  type DeliveryView,
  deliveriesOfMessage,
  deliveryById,
  listDeliveries,
  type QueuePosition,
} from './list-deliveries.ts'
import {
  listMessages,
  type MailPosition,
  type MessageFilter,
  type MessageView,
  messageOfAccount,
} from './list-messages.ts'
import type { Moved } from './move-selected.ts'
import type { Pauses } from './pauses.ts'
import type { Queue } from './queue.ts'
import { type QueueStats, queuedDomains, readQueueStats } from './queue-stats.ts'
import { releaseDeliveries } from './release.ts'
import { retryNow } from './retry-now.ts'
import { countSelected } from './selected-deliveries.ts'
import type { QueueState, Selection } from './selection.ts'

export const HAND_ACTIONS = ['hold', 'release', 'retry', 'cancel', 'expire'] as const
export type HandAction = (typeof HAND_ACTIONS)[number]

/** Which states an action takes deliveries from. What is claimed is being attempted, and left alone by all of them. */
export const ACTS_ON = {
  hold: ['waiting'],
  release: ['held'],
  retry: ['waiting'],
  cancel: ['waiting', 'held'],
  expire: ['waiting', 'held'],
} as const satisfies Record<HandAction, readonly QueueState[]>

/** The operator's hands in the queue, and the eyes. In: selections of deliveries. Out: what became of them. Promise: each
 *  delivery moves in one commit with its event, as `NEXT` allows, or not at all; what is being attempted is left alone;
 *  an action works in batches, behind which mail waits for no longer than behind any other commit. */
export interface OperatorHands {
  /** Acts on `most` of the selected deliveries, or a few more where the lanes are the unit. */
  act(action: HandAction, selection: Selection, most: number): Promise<Moved>
  /** How many of a selection are in each state now. */
  count(selection: Selection): Promise<Readonly<Record<QueueState, number>>>
  /** What is in the queue and selected, what expires first coming first. */
  list(page: {
    readonly selection: Selection
    readonly limit: number
    readonly after?: QueuePosition | undefined
  }): Promise<readonly DeliveryView[]>
  delivery(id: string): Promise<DeliveryView | undefined>
  deliveriesOf(messageId: string): Promise<readonly DeliveryView[]>
  stats(): Promise<QueueStats>
  domains(limit: number): Promise<readonly string[]>
  /** An account's mail, the newest first. */
  mail(
    accountId: string,
    page: {
      readonly filter: MessageFilter
      readonly limit: number
      readonly after?: MailPosition | undefined
    },
  ): Promise<readonly DeliveryView[]>
  message(accountId: string, id: string): Promise<MessageView | undefined>
  readonly pauses: Pauses
}

export interface HandsOptions extends ExpireWorld {
  readonly queue: Pick<Queue, 'wake' | 'retry'>
  readonly pauses: Pauses
  readonly log: Log
}

export function openOperatorHands(options: HandsOptions): OperatorHands {
  const { store, queue, pauses, log } = options

  function move(action: HandAction, selection: Selection, most: number): Promise<Moved> {
    switch (action) {
      case 'hold':
        return holdDeliveries(options, selection, most)
      case 'release':
        return releaseDeliveries(options, selection, most)
      case 'retry':
        return retry(selection, most)
      case 'cancel':
        return cancelDeliveries(options, selection, most)
      case 'expire':
        return expireDeliveries(options, selection, most)
    }
  }

  async function retry(selection: Selection, most: number): Promise<Moved> {
    const { lanes, ...moved } = await retryNow(store, selection, most)
    queue.retry(lanes)
    return moved
  }

  return {
    async act(action, selection, most) {
      const moved = await move(action, selection, most)
      if (action === 'release' && moved.changed > 0) queue.wake()
      log.info({ action, selection: tellable(selection), ...moved }, 'queue: an operator or a sender acted')
      return moved
    },
    count: (selection) => countSelected(store, selection),
    list: (page) => listDeliveries(store, page),
    delivery: (id) => deliveryById(store, id),
    deliveriesOf: (messageId) => deliveriesOfMessage(store, messageId),
    stats: () => readQueueStats(store),
    domains: (limit) => queuedDomains(store, limit),
    mail: (accountId, page) => listMessages(store, accountId, page),
    message: (accountId, id) => messageOfAccount(store, accountId, id),
    pauses,
  }
}

/** A thousand ids are no news. */
function tellable({ ids, ...rest }: Selection) {
  return ids ? { ...rest, ids: ids.length > 10 ? ids.length : ids } : rest
}
