import type { FastifyInstance } from 'fastify'
import {
  createQueueConsumer,
  deleteQueueConsumer,
  getQueueConsumer,
  listQueueConsumers,
  type QueueConsumerBody,
  type QueueConsumerWish,
  updateQueueConsumer,
} from '#contract/queues.ts'
import type { ConsumerWish, Queue } from '#workers/storage/queue.ts'
import { consumersOf, INVALID, NO_QUEUE, noteConsumer, placeOf, type QueuesWorld } from './queue-body.ts'
import { type Answer, type Fault, NO_SUCH_OBJECT, serveOperation } from './serve-operation.ts'
import { NO_SCRIPT } from './workers-faults.ts'

/** `…/queues/{queue_id}/consumers`. */
export function queueConsumerRoutes(api: FastifyInstance, world: QueuesWorld): void {
  const { queues, hasScript, now } = world

  /** A batch that nobody takes would only be seen by its queue growing. */
  async function fitting(accountId: string, wish: ConsumerWish | Fault): Promise<ConsumerWish | Fault> {
    if ('status' in wish || (await hasScript(accountId, wish.scriptName))) return wish
    const detail = `This account has no Worker "${wish.scriptName.slice(0, 100)}"; deploy it first.`
    return { ...NO_SCRIPT, status: 400, detail, pointer: '/script_name' }
  }

  serveOperation(api, { operation: listQueueConsumers, world }, async (call) => {
    const queue = await queues.queue(placeOf(call))
    if (!queue) return NO_QUEUE
    const result = consumersOf(queue)
    const info = { page: 1, per_page: result.length, count: result.length, total_count: result.length }
    return { result, info: { ...info, total_pages: 1 } }
  })

  serveOperation(api, { operation: createQueueConsumer, world }, async (call) => {
    const queue = await queues.queue(placeOf(call))
    if (!queue) return NO_QUEUE
    const wish = await fitting(call.accountId, wishOf(call.body, queue))
    if ('status' in wish) return wish
    const note = noteConsumer(call, 'queue_consumer.create', now())
    const added = await queues.addConsumer(placeOf(call), wish, note)
    if (added === 'has-consumer') {
      const detail = `The queue "${queue.name}" has a consumer; take that away or change it.`
      return { status: 400, code: 11004, message: 'Queue already has a consumer', detail }
    }
    return answer(added)
  })

  serveOperation(api, { operation: getQueueConsumer, world }, async (call) => {
    const queue = await queues.queue(placeOf(call))
    return queue?.consumer?.id === consumerId(call) ? answer(queue) : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: updateQueueConsumer, world }, async (call) => {
    const queue = await queues.queue(placeOf(call))
    if (queue?.consumer?.id !== consumerId(call)) return NO_SUCH_OBJECT
    const { scriptName } = queue.consumer
    const wished = wishOf({ ...call.body, script_name: call.body.script_name ?? scriptName }, queue)
    const wish = await fitting(call.accountId, wished)
    if ('status' in wish) return wish
    const note = noteConsumer(call, 'queue_consumer.update', now())
    return answer(await queues.changeConsumer(placeOf(call), { id: consumerId(call), wish }, note))
  })

  serveOperation(api, { operation: deleteQueueConsumer, world }, async (call) => {
    const note = noteConsumer(call, 'queue_consumer.delete', now())
    const removed = await queues.removeConsumer(placeOf(call), consumerId(call), note)
    return removed ? { result: null } : NO_SUCH_OBJECT
  })
}

function consumerId({ params }: { readonly params: Readonly<Record<string, string>> }): string {
  return params['consumer_id']?.toLowerCase() ?? ''
}

function answer(queue: Queue | undefined): Answer<QueueConsumerBody> {
  const [result] = queue ? consumersOf(queue) : []
  return result ? { result } : NO_SUCH_OBJECT
}

/** What counts where its owner says nothing. */
const USUAL = { batchSize: 10, maxWaitMs: 5000, maxRetries: 3, retryDelay: 0 }

function wishOf(body: QueueConsumerWish, queue: Queue): ConsumerWish | Fault {
  const { type, script_name: scriptName, dead_letter_queue: deadLetterQueue, settings = {} } = body
  if (type !== 'worker') {
    const detail = `A consumer of the type "${type.slice(0, 50)}" does not exist here; "worker" does.`
    return { ...INVALID, detail, pointer: '/type' }
  }
  if (scriptName === undefined) {
    return { ...INVALID, detail: "'script_name' is missing; it must be a string.", pointer: '/script_name' }
  }
  if (deadLetterQueue === queue.name) {
    const detail = 'A queue cannot take its own dead letters.'
    return { ...INVALID, detail, pointer: '/dead_letter_queue' }
  }
  return {
    scriptName,
    deadLetterQueue: deadLetterQueue || null,
    batchSize: settings.batch_size ?? USUAL.batchSize,
    maxWaitMs: settings.max_wait_time_ms ?? USUAL.maxWaitMs,
    maxRetries: settings.max_retries ?? USUAL.maxRetries,
    maxConcurrency: settings.max_concurrency ?? null,
    retryDelay: settings.retry_delay ?? USUAL.retryDelay,
  }
}
