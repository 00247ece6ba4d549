import { z } from 'zod'
import { operation } from './operation.ts'

/** Queues and their consumers (clients.md §3.4), and sending to them over HTTP. */
const DAY_S = 86_400
const whole = (about: string, from: number, to: number) =>
  z
    .int(`must be a whole number from ${from} to ${to}`)
    .min(from, `must be at least ${from}`)
    .max(to, `may be ${to} at most`)
    .describe(about)

const settingsWish = z.object({
  delivery_delay: whole(
    'Seconds that a message waits where its sender says nothing else',
    0,
    DAY_S,
  ).optional(),
  delivery_paused: z.boolean().describe('Whether the consumer gets nothing for now').optional(),
  message_retention_period: whole('Seconds after which a message goes', 60, 14 * DAY_S).optional(),
})

export type QueueSettingsWish = z.output<typeof settingsWish>

const queueName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'has 1 to 63 letters, digits and inner hyphens')

const consumer = z
  .object({
    consumer_id: z.string(),
    type: z.literal('worker'),
    script: z.string(),
    script_name: z.string(),
    queue_name: z.string(),
    dead_letter_queue: z.string().optional(),
    created_on: z.string(),
    settings: z.object({
      batch_size: z.number().int(),
      max_wait_time_ms: z.number().int(),
      max_retries: z.number().int(),
      max_concurrency: z.number().int().optional(),
      retry_delay: z.number().int(),
    }),
  })
  .meta({ id: 'QueueConsumer' })

export type QueueConsumerBody = z.output<typeof consumer>

const queue = z
  .object({
    queue_id: z.string(),
    queue_name: z.string(),
    created_on: z.string(),
    modified_on: z.string(),
    settings: z.object({
      delivery_delay: z.number().int(),
      delivery_paused: z.boolean(),
      message_retention_period: z.number().int(),
    }),
    producers: z.array(z.object({ type: z.literal('worker'), script: z.string() })),
    producers_total_count: z.number().int(),
    consumers: z.array(consumer),
    consumers_total_count: z.number().int(),
  })
  .meta({ id: 'Queue' })

export type QueueBody = z.output<typeof queue>

const consumerWish = z.object({
  type: z.string().describe('"worker" is the only one that there is').default('worker'),
  script_name: z.string().min(1, 'must not be empty').max(255, 'is too long').optional(),
  environment_name: z.string().optional(),
  dead_letter_queue: z
    .union([queueName, z.literal('')])
    .nullish()
    .describe('The queue that takes what failed too often; it is made where it is not there'),
  settings: z
    .object({
      batch_size: whole('Messages of a batch at most', 1, 100).optional(),
      max_wait_time_ms: whole('How long a batch waits until it is full', 0, 60_000).optional(),
      max_retries: whole('How often a message is tried again', 0, 100).optional(),
      max_concurrency: whole('Batches at one time', 1, 250).nullish(),
      retry_delay: whole('Seconds until a message is tried again', 0, DAY_S).optional(),
    })
    .optional(),
})

export type QueueConsumerWish = z.output<typeof consumerWish>

const QUEUES = '/accounts/{account_id}/queues'
const QUEUE = `${QUEUES}/{queue_id}` as const
const CONSUMERS = `${QUEUE}/consumers` as const
const CONSUMER = `${CONSUMERS}/{consumer_id}` as const
const READ = { permission: 'Workers:Read', scope: 'account' } as const
const EDIT = { permission: 'Workers:Edit', scope: 'account' } as const

export const listQueues = operation({
  ...READ,
  id: 'queues.list',
  method: 'GET',
  path: QUEUES,
  summary: 'Lists the queues of an account.',
  query: z.object({
    page: z.coerce.number('a page number, from 1 on').int().min(1).default(1),
    per_page: z.coerce.number('a number from 1 to 1000').int().min(1).max(1000).default(100),
    name: z
      .union([z.string(), z.array(z.string()).max(100)])
      .describe('Only this one; may stand several times')
      .optional(),
  }),
  result: z.array(queue),
  paging: 'pages',
})

export const createQueue = operation({
  ...EDIT,
  id: 'queues.create',
  method: 'POST',
  path: QUEUES,
  summary: 'Makes a queue.',
  body: z
    .object({ queue_name: queueName, settings: settingsWish.optional() })
    .meta({ examples: [{ queue_name: 'mail-events', settings: { delivery_delay: 5 } }] }),
  result: queue,
})

export const getQueue = operation({
  ...READ,
  id: 'queues.get',
  method: 'GET',
  path: QUEUE,
  summary: 'Gets a queue.',
  result: queue,
})

const queueChange = z
  .object({
    queue_name: z.string().describe('As it is: a queue keeps its name').optional(),
    settings: settingsWish.optional(),
  })
  .meta({ examples: [{ settings: { delivery_paused: true } }] })

export type QueueChange = z.output<typeof queueChange>

export const editQueue = operation({
  ...EDIT,
  id: 'queues.edit',
  method: 'PATCH',
  path: QUEUE,
  summary: 'Changes settings of a queue.',
  body: queueChange,
  result: queue,
})

export const updateQueue = operation({
  ...EDIT,
  id: 'queues.update',
  method: 'PUT',
  path: QUEUE,
  summary: 'The same; what is left out stays as it is.',
  body: queueChange,
  result: queue,
})

export const deleteQueue = operation({
  ...EDIT,
  id: 'queues.delete',
  method: 'DELETE',
  path: QUEUE,
  summary: 'Deletes a queue with its messages and its consumer.',
  result: z.null(),
})

const metrics = z.object({
  backlog_count: z.number().int(),
  backlog_bytes: z.number().int(),
  oldest_message_timestamp_ms: z.number().int().describe('0 in an empty queue'),
})

export const getQueueMetrics = operation({
  ...READ,
  id: 'queues.metrics',
  method: 'GET',
  path: `${QUEUE}/metrics`,
  summary: 'What waits in a queue, or is in its consumer’s hands.',
  result: metrics,
})

export const purgeQueue = operation({
  ...EDIT,
  id: 'queues.purge',
  method: 'POST',
  path: `${QUEUE}/purge`,
  summary: 'Deletes the messages of a queue.',
  body: z
    .object({
      delete_messages_permanently: z.literal(true, 'must be true: the messages do not come back'),
    })
    .meta({ examples: [{ delete_messages_permanently: true }] }),
  result: queue,
})

const delay = whole('Seconds until it may be consumed', 0, DAY_S).optional()
const message = z.object({
  body: z.unknown(),
  content_type: z.enum(['text', 'json', 'bytes'], '"text", "json" or "bytes", which is base64').optional(),
  delay_seconds: delay,
})

export type QueueMessageBody = z.output<typeof message>

const sent = z.object({ metadata: z.object({ metrics }) })

export const sendQueueMessage = operation({
  ...EDIT,
  id: 'queue_messages.send',
  method: 'POST',
  path: `${QUEUE}/messages`,
  summary: 'Sends a message to a queue.',
  body: message.meta({ examples: [{ body: { hello: 'world' }, content_type: 'json' }] }),
  result: sent,
})

export const sendQueueMessages = operation({
  ...EDIT,
  id: 'queue_messages.batch',
  method: 'POST',
  path: `${QUEUE}/messages/batch`,
  summary: 'Sends up to 100 messages to a queue, all or none.',
  body: z
    .object({
      messages: z.array(message).min(1).max(100, 'may have 100 entries at most'),
      delay_seconds: delay,
    })
    .meta({ examples: [{ messages: [{ body: 'one' }, { body: 'two', delay_seconds: 60 }] }] }),
  result: sent,
})

export const listQueueConsumers = operation({
  ...READ,
  id: 'queue_consumers.list',
  method: 'GET',
  path: CONSUMERS,
  summary: 'Lists the consumers of a queue, of which there is one at most.',
  result: z.array(consumer),
  paging: 'single',
})

export const createQueueConsumer = operation({
  ...EDIT,
  id: 'queue_consumers.create',
  method: 'POST',
  path: CONSUMERS,
  summary: 'Makes a Worker the consumer of a queue.',
  body: consumerWish.meta({ examples: [{ type: 'worker', script_name: 'email-worker' }] }),
  result: consumer,
})

export const getQueueConsumer = operation({
  ...READ,
  id: 'queue_consumers.get',
  method: 'GET',
  path: CONSUMER,
  summary: 'Gets a consumer.',
  result: consumer,
})

export const updateQueueConsumer = operation({
  ...EDIT,
  id: 'queue_consumers.update',
  method: 'PUT',
  path: CONSUMER,
  summary: 'Sets a consumer anew; settings that are left out are as they are by themselves.',
  body: consumerWish.meta({
    examples: [{ type: 'worker', script_name: 'email-worker', settings: { batch_size: 5 } }],
  }),
  result: consumer,
})

export const deleteQueueConsumer = operation({
  ...EDIT,
  id: 'queue_consumers.delete',
  method: 'DELETE',
  path: CONSUMER,
  summary: 'Takes a queue’s consumer away; its messages wait.',
  result: z.null(),
})

export const queueOperations = [
  ...[listQueues, createQueue, getQueue, editQueue, updateQueue, deleteQueue, getQueueMetrics, purgeQueue],
  ...[sendQueueMessage, sendQueueMessages],
  ...[listQueueConsumers, createQueueConsumer, getQueueConsumer, updateQueueConsumer, deleteQueueConsumer],
]
