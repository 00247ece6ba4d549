import { z } from 'zod'
import { operation } from './operation.ts'
import { cursorQuery } from './paging.ts'

/** `/accounts/{account_id}/email/sending/messages` and `…/deliveries`. Ours, but for `…/messages/{message_id}`, which is
 *  the message itself, as the original has it (clients.md). Times are in ISO 8601. */
export const DELIVERY_STATES = [
  'waiting',
  'claimed',
  'held',
  'delivered',
  'bounced',
  'failed',
  'rejected',
  'dropped',
] as const

/** What became of a message for one of its recipients. */
export const delivery = z.object({
  id: z.string(),
  message_id: z.string().describe('The Message-ID header, angle brackets included, as send answered it'),
  from: z.string().describe('Empty for a notice of ours, which nobody answers'),
  to: z.string(),
  subject: z.string(),
  state: z.enum(DELIVERY_STATES),
  attempts: z.number().int(),
  next_attempt_at: z.string().nullable().describe('Of one that waits'),
  created_at: z.string(),
  expires_at: z.string(),
  settled_at: z.string().nullable(),
  last_reply: z
    .string()
    .nullable()
    .describe('What the recipient’s server said last, or a sentence for what came instead'),
  last_cause: z.string().nullable(),
})

export type DeliveryBody = z.output<typeof delivery>

const namedDelivery = delivery.meta({ id: 'Delivery' })

const message = z.object({
  message_id: z.string(),
  from: z.string(),
  subject: z.string(),
  size: z.number().int().describe('In bytes'),
  created_at: z.string(),
  deliveries: z.array(namedDelivery),
})

export type MessageBody = z.output<typeof message>

/** What routing decided about one recipient of mail that came in. Results are in the words of RFC 8601 §2.7, and absent
 *  where the message was refused before they were known. */
const routing = z.object({
  rule_id: z.string().nullable().describe('Null where no rule was matched'),
  action: z.enum(['forward', 'worker', 'drop', 'return', 'none']),
  recipient: z.string().describe('As the sender wrote it'),
  spf: z.string().optional(),
  dkim: z.string().optional(),
  dmarc: z.string().optional(),
  arc: z.string().optional(),
  is_spam: z.boolean(),
  is_ndr: z.boolean().describe('A report about other mail'),
  session_id: z.string(),
  remote_address: z.string(),
  reason: z.string().optional().describe('Why it was refused, or not acted upon'),
  worker: z
    .object({
      script_name: z.string(),
      outcome: z.enum([
        ...(['handled', 'rejected', 'exception', 'missing', 'unavailable', 'crashed', 'timeout'] as const),
        ...(['exceeded-cpu', 'exceeded-memory'] as const),
      ]),
      error: z
        .object({ name: z.string(), message: z.string(), stack: z.string().optional() })
        .optional()
        .describe(
          'What was thrown; `EXCEEDED_CPU`, `EXCEEDED_MEMORY` and their like are not the handler’s own',
        ),
      forwards: z
        .array(z.object({ destination: z.string(), message_id: z.string().describe('Of its own events') }))
        .readonly(),
      reply_message_id: z.string().optional(),
    })
    .optional()
    .describe('How the Worker’s handler ended, and what it had done by then'),
})

/** One thing that happened. What does not apply is left out. */
const timelineEvent = z
  .object({
    id: z.string(),
    at: z.string(),
    type: z.string(),
    delivery_id: z.string().nullable().describe('Null where it speaks of the whole message'),
    terminal: z
      .boolean()
      .describe('Whether it settled the delivery. What came back by mail afterwards settles nothing'),
    sender: z.string().optional(),
    recipient: z.string().optional(),
    recipients: z.array(z.string()).readonly().optional(),
    subject: z.string().optional(),
    header_message_id: z
      .string()
      .optional()
      .describe('Of mail that came in: Message-ID, as its header has it'),
    size: z.number().int().optional(),
    removed_headers: z.array(z.string()).readonly().optional(),
    attempt: z.number().int().optional(),
    cause: z.string().optional(),
    smtp_reply: z.string().optional(),
    smtp_status: z.number().int().optional(),
    enhanced_status: z.string().optional(),
    host: z.string().optional(),
    address: z.string().optional(),
    tls: z.string().optional().describe('Protocol and cipher'),
    tls_policy: z.string().optional(),
    tls_failure: z.string().optional(),
    dialogue: z
      .array(z.string())
      .readonly()
      .optional()
      .describe('What was said, a line each: “c: …”, “s: …”. Never contents, never credentials'),
    feedback_type: z.string().optional(),
    perhaps_taken: z
      .boolean()
      .optional()
      .describe('The connection broke between the final dot and its reply'),
    retry_at: z.string().optional(),
    duration_ms: z.number().optional(),
    worker: z
      .object({ script_name: z.string(), call: z.enum(['send', 'reply']) })
      .optional()
      .describe('The Worker whose code sent it, by its binding or in answer to a message that came in'),
    routing: routing.optional(),
  })
  .meta({ id: 'TimelineEvent' })

export type TimelineEvent = z.output<typeof timelineEvent>

export const timeline = z.object({
  message_id: z.string(),
  events: z.array(timelineEvent),
})

export type TimelineBody = z.output<typeof timeline>

const base = '/accounts/{account_id}/email/sending'
const one = `${base}/messages/{message_id}` as const
const reads = { permission: 'Email Sending:Read', scope: 'account', codes: 'sending', method: 'GET' } as const
const edits = { ...reads, permission: 'Email Sending:Edit', method: 'POST', refusals: [409] } as const

export const listMessages = operation({
  ...reads,
  id: 'messages.list',
  path: `${base}/messages`,
  summary: 'Lists what became of the account’s mail, each recipient by itself, the newest first.',
  query: z
    .strictObject({
      recipient: z.string().describe('A whole address').optional(),
      sender: z.string().describe('A whole address').optional(),
      state: z.enum(DELIVERY_STATES).optional(),
      message_id: z.string().optional(),
      since: z.string().describe('A time with its offset, or a day').optional(),
      until: z.string().describe('A time with its offset, or a day').optional(),
    })
    .extend(cursorQuery.shape),
  result: z.array(namedDelivery),
  paging: 'cursor',
})

export const getMessage = operation({
  ...reads,
  id: 'messages.get',
  path: one,
  summary: 'The message itself, where its domain has the preview on and until its content is deleted.',
  result: z.string(),
  resultTypes: ['message/rfc822'],
})

export const getDeliveries = operation({
  ...reads,
  id: 'messages.deliveries',
  path: `${one}/deliveries`,
  summary: 'Shows a message with its deliveries, one for each recipient.',
  result: message,
})

export const getTimeline = operation({
  ...reads,
  id: 'messages.timeline',
  path: `${one}/timeline`,
  summary: 'Lists what happened to a message, sent or received, the earliest first.',
  query: cursorQuery,
  result: timeline,
  paging: 'cursor',
})

export const retryDelivery = operation({
  ...edits,
  id: 'deliveries.retry',
  path: `${base}/deliveries/{delivery_id}/retry`,
  summary: 'Tries a delivery that waits again now; once a minute.',
  result: namedDelivery,
})

export const cancelDelivery = operation({
  ...edits,
  id: 'deliveries.cancel',
  path: `${base}/deliveries/{delivery_id}/cancel`,
  summary: 'Ends a delivery that is not settled yet; its recipient gets nothing.',
  result: namedDelivery,
})

export const messageOperations = [
  ...[listMessages, getMessage, getDeliveries, getTimeline],
  ...[retryDelivery, cancelDelivery],
]
