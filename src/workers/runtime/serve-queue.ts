import type { ServerResponse } from 'node:http'
import type { WorkerBinding } from '#model/worker.ts'
import {
  CONTENT_TYPES,
  isQueueFault,
  type QueueMessageWish,
  readQueueBatch,
} from '#workers/storage/queue-batch.ts'
import { answerJson, answerStatus, type HostRequest } from './host-door.ts'
import type { HostServices } from './host-services.ts'
import { parsed, record } from './worker-trace.ts'

interface QueueWorld {
  readonly queues: HostServices['queues']
  readonly accountId: string
  readonly binding: Extract<WorkerBinding, { readonly type: 'queue' }>
}

/** A batch as base64 in JSON, and some. */
const LARGEST_BATCH = 1_048_576

/** A queue's producer, in the protocol that workerd speaks: one message, a batch of them, and how much is waiting. */
export async function serveQueue(
  asked: HostRequest,
  { queues, accountId, binding }: QueueWorld,
): Promise<void> {
  const { request, response } = asked
  const queue = await queues.queueNamed(accountId, binding.queueName)
  if (!queue) return refuse(response, 404, 'The queue does not exist.')
  const place = { accountId, queueId: queue.id }
  const { pathname } = new URL(request.url ?? '')
  if (pathname === '/metrics') {
    const { messages, octets, oldest } = await queues.backlog(place)
    return answerJson(response, {
      backlogCount: messages,
      backlogBytes: octets,
      oldestMessageTimestamp: oldest ?? 0,
    })
  }
  const usual = numberOf(request.headers['x-msg-delay-secs']) ?? binding.deliveryDelay
  const body = await asked.body(LARGEST_BATCH)
  if (!body) return
  const wishes =
    pathname === '/batch'
      ? readWishes(parsed(body.toString()), usual)
      : [{ body, contentType: contentTypeOf(request.headers['x-msg-fmt']), delaySeconds: usual }]
  const batch = readQueueBatch(wishes)
  if (isQueueFault(batch)) return refuse(response, 400, batch.detail)
  const sent = await queues.send(place, batch)
  if (sent === 'no-queue') return refuse(response, 404, 'The queue does not exist.')
  // How much is waiting then is not counted for each message: `metrics()` tells it.
  answerJson(response, { metadata: { metrics: {} } })
}

/** workerd takes the words of its error from these headers. */
function refuse(response: ServerResponse, status: number, reason: string): void {
  response.setHeader('cf-queues-error-code', String(status))
  response.setHeader('cf-queues-error-cause', reason)
  answerStatus(response, status, reason)
}

function readWishes(batch: unknown, usual: number | undefined): readonly QueueMessageWish[] {
  const { messages } = record(batch) ?? {}
  if (!Array.isArray(messages)) return []
  return messages.map((message) => {
    const { body, contentType, delaySecs } = record(message) ?? {}
    return {
      body: Buffer.from(typeof body === 'string' ? body : '', 'base64'),
      contentType: contentTypeOf(contentType),
      delaySeconds: typeof delaySecs === 'number' ? delaySecs : usual,
    }
  })
}

/** What says nothing is in V8's own form. */
function contentTypeOf(given: unknown): QueueMessageWish['contentType'] {
  return CONTENT_TYPES.find((type) => type === given) ?? 'v8'
}

function numberOf(header: string | readonly string[] | undefined): number | undefined {
  return typeof header === 'string' ? Number(header) : undefined
}
