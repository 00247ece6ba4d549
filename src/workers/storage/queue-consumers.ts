import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { ConsumerWish, Queue, QueuePlace } from './queue.ts'
import { type QueueRegistry, queueCreation, RETENTION_S, type RecordQueue } from './queue-registry.ts'

export interface QueueConsumers {
  /** Out: the queue as it is then. A dead letter queue that is not there yet is made in the same commit. */
  addConsumer(
    place: QueuePlace,
    wish: ConsumerWish,
    record: RecordConsumer,
  ): Promise<Queue | 'has-consumer' | undefined>
  /** Undefined for a consumer that is not the queue's. */
  changeConsumer(
    place: QueuePlace,
    change: { readonly id: string; readonly wish: ConsumerWish },
    record: RecordConsumer,
  ): Promise<Queue | undefined>
  /** Out: the queue as it was. */
  removeConsumer(place: QueuePlace, id: string, record: RecordQueue): Promise<Queue | undefined>
}

/** `made`: the dead letter queue that came into being. */
export type RecordConsumer = (change: {
  readonly before: Queue
  readonly after: Queue
  readonly made: Queue | undefined
}) => readonly Write[]

const insert = statement(
  'queue-consumer.insert',
  `insert into queue_consumer (id, queue_id, account_id, script_name, dead_letter_queue, batch_size, max_wait_ms,
     max_retries, max_concurrency, retry_delay, created_at)
   select $3, id, account_id, $4, $5, cast($6 as integer), cast($7 as bigint), cast($8 as integer),
     cast($9 as integer), cast($10 as bigint), cast($11 as bigint)
   from worker_queue where account_id = $1 and id = $2 and deleted_at is null
   on conflict (queue_id) do nothing`,
)
const update = statement(
  'queue-consumer.update',
  `update queue_consumer set script_name = $4, dead_letter_queue = $5, batch_size = $6, max_wait_ms = $7,
     max_retries = $8, max_concurrency = $9, retry_delay = $10
   where account_id = $1 and queue_id = $2 and id = $3`,
)
const remove = statement(
  'queue-consumer.delete',
  'delete from queue_consumer where account_id = $1 and queue_id = $2 and id = $3',
)

export function openQueueConsumers(
  store: Store,
  registry: QueueRegistry,
  clock: () => number,
): QueueConsumers {
  async function deadLetters({ accountId }: Queue, { deadLetterQueue: name }: ConsumerWish) {
    if (name === null || (await registry.queueNamed(accountId, name))) return undefined
    return queueCreation(accountId, newQueue(name), clock())
  }

  return {
    async addConsumer(place, wish, record) {
      const before = await registry.queue(place)
      if (!before) return undefined
      if (before.consumer) return 'has-consumer'
      const consumer = { id: newId(), ...wish, createdAt: clock() }
      const after = { ...before, consumer }
      const made = await deadLetters(before, wish)
      const params = [...keyOf(place, consumer.id), ...valuesOf(wish), consumer.createdAt]
      const committed = await store.commit([
        { statement: insert, params, rows: 1 },
        ...(made ? [made.write] : []),
        ...record({ before, after, made: made?.queue }),
      ])
      return committed.ok ? after : 'has-consumer'
    },

    async changeConsumer(place, { id, wish }, record) {
      const before = await registry.queue(place)
      if (before?.consumer?.id !== id) return undefined
      const after = { ...before, consumer: { ...before.consumer, ...wish } }
      const made = await deadLetters(before, wish)
      const committed = await store.commit([
        { statement: update, params: [...keyOf(place, id), ...valuesOf(wish)], rows: 1 },
        ...(made ? [made.write] : []),
        ...record({ before, after, made: made?.queue }),
      ])
      return committed.ok ? after : undefined
    },

    async removeConsumer(place, id, record) {
      const before = await registry.queue(place)
      if (before?.consumer?.id !== id) return undefined
      const write = { statement: remove, params: keyOf(place, id), rows: 1 }
      const after = { ...before, consumer: undefined }
      const committed = await store.commit([write, ...record({ before, after })])
      return committed.ok ? before : undefined
    },
  }
}

/** A queue that something else needs. */
export function newQueue(name: string) {
  return { name, deliveryDelay: 0, retention: RETENTION_S, paused: false }
}

function keyOf({ accountId, queueId }: QueuePlace, id: string) {
  return [accountId, queueId, id]
}

function valuesOf(wish: ConsumerWish) {
  return [
    ...[wish.scriptName, wish.deadLetterQueue, wish.batchSize, wish.maxWaitMs],
    ...[wish.maxRetries, wish.maxConcurrency, wish.retryDelay],
  ]
}
