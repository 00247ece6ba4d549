import type { QueueBody, QueueConsumerBody } from '#contract/queues.ts'
import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { Write } from '#store/store.ts'
import type { Queue, QueuePlace } from '#workers/storage/queue.ts'
import type { Queues } from '#workers/storage/queues.ts'
import { apiTime } from './api-time.ts'
import type { Call, Fault, ServedBy } from './serve-operation.ts'

export interface QueuesWorld extends ServedBy {
  readonly queues: Queues
  readonly scripts: { readonly workers: Pick<Workers, 'queueProducers'> }
  /** Whether the account has a Worker of that name. */
  readonly hasScript: (accountId: string, name: string) => Promise<boolean>
  readonly now: () => number
}

export const NO_QUEUE: Fault = { status: 404, code: 11000, message: 'Queue not found' }
export const INVALID = { status: 400, code: 1001, message: 'Request body is invalid' } as const

export function placeOf({
  accountId,
  params,
}: Pick<Call<unknown, unknown>, 'accountId' | 'params'>): QueuePlace {
  return { accountId, queueId: params['queue_id']?.toLowerCase() ?? '' }
}

/** `producers`: the names of the Workers that send to it. */
export function queueBody(queue: Queue, producers: readonly string[]): QueueBody {
  return {
    ...settled(queue),
    producers: producers.map((script) => ({ type: 'worker', script })),
    producers_total_count: producers.length,
  }
}

/** What its account settled about a queue, and who takes its messages. */
function settled(queue: Queue): Omit<QueueBody, 'producers' | 'producers_total_count'> {
  const consumers = consumersOf(queue)
  return {
    queue_id: queue.id,
    queue_name: queue.name,
    created_on: apiTime(queue.createdAt),
    modified_on: apiTime(queue.modifiedAt),
    settings: {
      delivery_delay: queue.deliveryDelay,
      delivery_paused: queue.paused,
      message_retention_period: queue.retention,
    },
    consumers,
    consumers_total_count: consumers.length,
  }
}

export function consumersOf({ name, consumer }: Queue): QueueConsumerBody[] {
  if (!consumer) return []
  const { deadLetterQueue, maxConcurrency } = consumer
  return [
    {
      consumer_id: consumer.id,
      type: 'worker',
      script: consumer.scriptName,
      script_name: consumer.scriptName,
      queue_name: name,
      ...(deadLetterQueue !== null && { dead_letter_queue: deadLetterQueue }),
      created_on: apiTime(consumer.createdAt),
      settings: {
        batch_size: consumer.batchSize,
        max_wait_time_ms: consumer.maxWaitMs,
        max_retries: consumer.maxRetries,
        ...(maxConcurrency !== null && { max_concurrency: maxConcurrency }),
        retry_delay: consumer.retryDelay,
      },
    },
  ]
}

interface Noted {
  readonly accountId: string
  readonly by: { readonly audit: AuditActor }
}

/** The audit log's line about a queue. */
export function noteQueue(
  { accountId, by }: Noted,
  action: 'queue.create' | 'queue.update' | 'queue.delete',
  at: number,
): (change: { readonly before?: Queue; readonly after?: Queue }) => readonly Write[] {
  return ({ before, after }) => [
    auditWrite({
      ...{ accountId, actor: by.audit, action, at },
      resource: { type: 'queue', id: (after ?? before)?.id ?? '' },
      ...(before && { before: settled(before) }),
      ...(after && { after: settled(after) }),
    }),
  ]
}

/** The same about its consumer, and about the dead letter queue that came with it. */
export function noteConsumer(
  noted: Noted,
  action: 'queue_consumer.create' | 'queue_consumer.update' | 'queue_consumer.delete',
  at: number,
): (change: {
  readonly before?: Queue
  readonly after?: Queue
  readonly made?: Queue | undefined
}) => readonly Write[] {
  return ({ before, after, made }) => {
    const [was] = before ? consumersOf(before) : []
    const [is] = after ? consumersOf(after) : []
    return [
      auditWrite({
        ...{ accountId: noted.accountId, actor: noted.by.audit, action, at },
        resource: { type: 'queue_consumer', id: (is ?? was)?.consumer_id ?? '' },
        ...(was && { before: was }),
        ...(is && { after: is }),
      }),
      ...(made ? noteQueue(noted, 'queue.create', at)({ after: made }) : []),
    ]
  }
}
