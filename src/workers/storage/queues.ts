/** Queues: messages that Workers send, until another Worker has taken them. In: producers' bindings and the API. Out:
 *  batches under a lease. Promise: once a send resolves its messages survive a crash; each is handed out at least once,
 *  until it is acked, has failed more often than its consumer allows (then it is in the dead letter queue, or gone where
 *  there is none), or its retention ends. A crash costs a redelivery, never a retry. Order is not promised: consumers work side by
 *  side. But what one process sends stands in the queue in the order in which it sent it. */
import type { Store, Write } from '#store/store.ts'
import type { Queue, QueuePlace } from './queue.ts'
import type { QueueBatch } from './queue-batch.ts'
import {
  type BatchWish,
  type ClaimedBatch,
  claimMessages,
  readDueQueues,
  releaseLease,
  renewLease,
  type SettledBy,
  type Settlement,
  settleMessages,
  voidLeases,
} from './queue-claims.ts'
import { newQueue, openQueueConsumers, type QueueConsumers } from './queue-consumers.ts'
import {
  insertMessages,
  openOrdinals,
  purgeMessages,
  type QueueBacklog,
  readBacklog,
} from './queue-messages.ts'
import { openQueueRegistry, type QueueRegistry } from './queue-registry.ts'
import { sweepQueues } from './queue-sweep.ts'

export interface Queues extends QueueRegistry, QueueConsumers {
  /** All or none. */
  send(place: QueuePlace, batch: QueueBatch): Promise<'sent' | 'no-queue'>
  backlog(place: QueuePlace): Promise<QueueBacklog>
  /** `record`: what else is to be in its first commit. */
  purge(place: QueuePlace, record: readonly Write[]): Promise<void>
  /** Queues that have a consumer and something for it, of all accounts. */
  dueQueues(): Promise<readonly Queue[]>
  /** Undefined while there is nothing, or not enough for long enough. */
  claimBatch(queueId: string, wish: BatchWish): Promise<ClaimedBatch | undefined>
  ack(batch: ClaimedBatch, ids: readonly string[]): Promise<void>
  /** The same as a settlement without acks. */
  retry(
    batch: ClaimedBatch,
    retried: Settlement['retried'],
    by: SettledBy & Pick<Queue, 'accountId'>,
  ): Promise<readonly string[]>
  /** One commit. What the batch does not hold any more is passed over. Out: the ids of those that failed too often. */
  settle(
    batch: ClaimedBatch,
    settlement: Settlement,
    by: SettledBy & Pick<Queue, 'accountId'>,
  ): Promise<readonly string[]>
  /** For a consumer that is still at it. */
  renew(batch: ClaimedBatch, leaseMs: number): Promise<void>
  /** Nobody looked at it: it is due again in a while, and no retry counts. */
  release(batch: ClaimedBatch, dueInMs: number): Promise<void>
  /** Is told after each commit that put something into a queue, by this process. Out: ends that. */
  onSent(listener: (queueId: string) => void): () => void
  /** Deletes what its retention ended and what is left of queues that are gone; some of it, often enough called. */
  sweep(): Promise<void>
}

export async function openQueues({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: () => number
}): Promise<Queues> {
  // One process owns a SQLite store. On PostgreSQL other nodes may hold what is claimed: those leases end by themselves.
  if (store.engine === 'sqlite') await voidLeases(store)
  const registry = openQueueRegistry(store, clock)
  const ordinals = openOrdinals()
  const listeners = new Set<(queueId: string) => void>()
  const tell = (queueId: string) => {
    for (const listener of listeners) listener(queueId)
  }

  /** Made again where somebody deleted it meanwhile: its consumer asked for it. */
  async function deadLetters(accountId: string, name: string): Promise<string> {
    const there = await registry.queueNamed(accountId, name)
    if (there) return there.id
    const made = await registry.createQueue(accountId, newQueue(name), () => [])
    const found = typeof made === 'string' ? await registry.queueNamed(accountId, name) : made
    if (!found) throw new Error(`the dead letter queue ${name} cannot be made`)
    return found.id
  }

  const settle: Queues['settle'] = async ({ lease }, settlement, { accountId, ...by }) => {
    const { deadLetterQueue, maxRetries } = by
    const mayFail = settlement.retried.length > 0 && deadLetterQueue !== null
    const deadLetterQueueId = mayFail ? await deadLetters(accountId, deadLetterQueue) : null
    const failed = await settleMessages(store, lease, settlement, { maxRetries, deadLetterQueueId })
    if (failed.length > 0 && deadLetterQueueId !== null) tell(deadLetterQueueId)
    return failed
  }

  return {
    ...registry,
    ...openQueueConsumers(store, registry, clock),

    async send(place, batch) {
      if (!(await insertMessages(store, place, batch, ordinals))) return 'no-queue'
      tell(place.queueId)
      return 'sent'
    },

    backlog: (place) => readBacklog(store, place),
    purge: (place, record) => purgeMessages(store, place, record),
    dueQueues: () => readDueQueues(store),
    claimBatch: (queueId, wish) => claimMessages(store, queueId, wish),

    async ack({ lease }, acked) {
      const by = { maxRetries: 0, deadLetterQueueId: null }
      await settleMessages(store, lease, { acked, retried: [] }, by)
    },

    retry: (batch, retried, by) => settle(batch, { acked: [], retried }, by),
    settle,
    renew: ({ lease }, leaseMs) => renewLease(store, lease, leaseMs),
    release: ({ lease }, dueInMs) => releaseLease(store, lease, dueInMs),

    onSent(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    sweep: () => sweepQueues(store, clock()),
  }
}
