import type { FastifyInstance } from 'fastify'
import { type QueueMessageBody, sendQueueMessage, sendQueueMessages } from '#contract/queues.ts'
import { isQueueFault, type QueueMessageWish, readQueueBatch } from '#workers/storage/queue-batch.ts'
import type { QueueBacklog } from '#workers/storage/queue-messages.ts'
import { INVALID, NO_QUEUE, placeOf, type QueuesWorld } from './queue-body.ts'
import { type Call, type Fault, serveOperation } from './serve-operation.ts'

/** `…/queues/{queue_id}/messages`. */
export function queueMessageRoutes(api: FastifyInstance, world: QueuesWorld): void {
  serveOperation(api, { operation: sendQueueMessage, world }, (call) =>
    send(call, world, { messages: [call.body], pointerOf: () => '' }),
  )
  serveOperation(api, { operation: sendQueueMessages, world }, (call) => {
    const { messages, delay_seconds: delay } = call.body
    return send(call, world, {
      messages: messages.map((message) => ({ ...message, delay_seconds: message.delay_seconds ?? delay })),
      pointerOf: (index) => `/messages/${index}`,
    })
  })
}

interface Sent {
  readonly messages: readonly QueueMessageBody[]
  readonly pointerOf: (index: number) => string
}

async function send(call: Call<unknown, unknown>, { queues }: QueuesWorld, { messages, pointerOf }: Sent) {
  const wishes: QueueMessageWish[] = []
  for (const [index, message] of messages.entries()) {
    const wish = wishOf(message)
    if ('status' in wish) return { ...wish, pointer: `${pointerOf(index)}${wish.pointer ?? ''}` }
    wishes.push(wish)
  }
  const batch = readQueueBatch(wishes)
  if (isQueueFault(batch)) {
    const { index, field, detail } = batch
    const pointer = index === undefined ? '' : `${pointerOf(index)}/${field}`
    return { ...INVALID, detail, pointer }
  }
  if ((await queues.send(placeOf(call), batch)) === 'no-queue') return NO_QUEUE
  return { result: { metadata: { metrics: metricsBody(await queues.backlog(placeOf(call))) } } }
}

function wishOf({
  body,
  content_type: type,
  delay_seconds: delaySeconds,
}: QueueMessageBody): QueueMessageWish | Fault {
  const contentType = type ?? (typeof body === 'string' ? 'text' : 'json')
  if (contentType === 'json') {
    if (body === undefined) return { ...INVALID, detail: "'body' is missing.", pointer: '/body' }
    return { body: Buffer.from(JSON.stringify(body)), contentType, delaySeconds }
  }
  if (typeof body !== 'string') {
    return { ...INVALID, detail: `'body' must be a string where it is ${contentType}.`, pointer: '/body' }
  }
  if (contentType === 'text') return { body: Buffer.from(body), contentType, delaySeconds }
  // Node's own decoder passes over what is no base64.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) {
    return { ...INVALID, detail: "'body' is not in base64.", pointer: '/body' }
  }
  return { body: Buffer.from(body, 'base64'), contentType, delaySeconds }
}

export function metricsBody({ messages, octets, oldest }: QueueBacklog) {
  return { backlog_count: messages, backlog_bytes: octets, oldest_message_timestamp_ms: oldest ?? 0 }
}
