/** A queue as its account made it. */
export interface Queue {
  readonly id: string
  readonly accountId: string
  readonly name: string
  /** Seconds that a message waits where its sender says nothing else. */
  readonly deliveryDelay: number
  /** Seconds after which a message goes that nobody took. */
  readonly retention: number
  /** Nothing is handed to its consumer. */
  readonly paused: boolean
  /** Milliseconds. */
  readonly createdAt: number
  readonly modifiedAt: number
  readonly consumer: QueueConsumer | undefined
}

/** Who takes a queue's messages: one Worker, in batches. */
export interface QueueConsumer extends ConsumerWish {
  readonly id: string
  /** Milliseconds. */
  readonly createdAt: number
}

export interface ConsumerWish {
  readonly scriptName: string
  /** The name of the account's queue that takes what failed too often; null lets it go. */
  readonly deadLetterQueue: string | null
  readonly batchSize: number
  /** How long a batch that is not full waits for more. */
  readonly maxWaitMs: number
  readonly maxRetries: number
  /** Batches at one time in one process; null leaves that to us. */
  readonly maxConcurrency: number | null
  /** Seconds. */
  readonly retryDelay: number
}

/** A queue, as the one who asks about it may: another account's is none. */
export interface QueuePlace {
  readonly accountId: string
  readonly queueId: string
}

export interface QueueRow {
  readonly id: string
  readonly account_id: string
  readonly name: string
  readonly delivery_delay: number
  readonly retention: number
  readonly paused: number
  readonly created_at: number
  readonly modified_at: number
  readonly consumer_id: string | null
  readonly script_name: string | null
  readonly dead_letter_queue: string | null
  readonly batch_size: number | null
  readonly max_wait_ms: number | null
  readonly max_retries: number | null
  readonly max_concurrency: number | null
  readonly retry_delay: number | null
  readonly consumer_created_at: number | null
}

export const QUEUE_COLUMNS = `q.id, q.account_id, q.name, q.delivery_delay, q.retention, q.paused, q.created_at,
  q.modified_at, c.id as consumer_id, c.script_name, c.dead_letter_queue, c.batch_size, c.max_wait_ms, c.max_retries,
  c.max_concurrency, c.retry_delay, c.created_at as consumer_created_at`

export function queueOf(row: QueueRow): Queue {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    deliveryDelay: row.delivery_delay,
    retention: row.retention,
    paused: row.paused === 1,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    consumer: consumerOf(row),
  }
}

/** The columns of a consumer that is there are not null; of one that is not, all are. */
function consumerOf(row: QueueRow): QueueConsumer | undefined {
  if (row.consumer_id === null) return undefined
  return {
    id: row.consumer_id,
    scriptName: row.script_name ?? '',
    deadLetterQueue: row.dead_letter_queue,
    batchSize: row.batch_size ?? 0,
    maxWaitMs: row.max_wait_ms ?? 0,
    maxRetries: row.max_retries ?? 0,
    maxConcurrency: row.max_concurrency,
    retryDelay: row.retry_delay ?? 0,
    createdAt: row.consumer_created_at ?? 0,
  }
}
