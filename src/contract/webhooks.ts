import { z } from 'zod'
import { operation } from './operation.ts'
import { cursorQuery } from './paging.ts'

/** `/accounts/{account_id}/email/webhooks`: HTTPS addresses that are told what happens to mail. Ours: the original has no
 *  such thing. */
const DAY_S = 86_400

export const WEBHOOK_EVENTS = [
  'cf.email.sending.message.delivered',
  'cf.email.sending.message.deferred',
  'cf.email.sending.message.bounced',
  'cf.email.sending.message.failed',
  'cf.email.sending.message.rejected',
  'cf.email.sending.message.complained',
  'cf.email.sending.domain.dns_drifted',
  'cf.email.sending.domain.dns_restored',
  'cf.email.sending.domain.deliverability_declined',
  'cf.email.sending.domain.deliverability_restored',
  'cf.email.routing.message.forwarded',
  'cf.email.routing.message.deferred',
  'cf.email.routing.message.handled',
  'cf.email.routing.message.dropped',
  'cf.email.routing.message.rejected',
  'cf.email.routing.message.bounced',
  'cf.email.routing.message.failed',
  'cf.email.routing.domain.dns_drifted',
  'cf.email.routing.domain.dns_restored',
  'cf.email.webhook.paused',
] as const

const event = z.enum(WEBHOOK_EVENTS, `one of ${WEBHOOK_EVENTS.join(', ')}`)

const webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    description: z.string(),
    events: z.array(z.string()).nullable().describe('Null: all that there are and will be'),
    domains: z.array(z.string()).nullable().describe('Null: all of the account'),
    enabled: z.boolean(),
    status: z
      .enum(['active', 'failing', 'paused', 'disabled'])
      .describe(
        '`failing`: the last attempt failed. `paused`: it failed for days, or answered 410; what happens meanwhile waits for it, 100,000 events at most. `disabled`: by you; what happens meanwhile is not kept for it',
      ),
    failing_since: z.string().nullable(),
    paused_at: z.string().nullable(),
    pause_reason: z.enum(['failing', 'gone']).nullable(),
    dropped_events: z
      .number()
      .int()
      .describe(
        'Of 100,000 events that wait for it the oldest are dropped for newer ones: how many were, since it was last enabled or got another URL',
      ),
    created_at: z.string(),
    modified_at: z.string(),
  })
  .meta({ id: 'Webhook' })

export type WebhookBody = z.output<typeof webhook>

const SECRET =
  'Signs the requests as Standard Webhooks has it (webhook-id, webhook-timestamp, webhook-signature). It is shown this once'
const withSecret = webhook.extend({ secret: z.string().describe(SECRET) })

export type WebhookWithSecretBody = z.output<typeof withSecret>

const fields = {
  url: z
    .string()
    .describe('https, a public address. Redirects are not followed; anything but 2xx is a failure'),
  description: z.string().max(500, 'may have 500 characters'),
  events: z
    .array(event)
    .min(1, 'must name one event at least; leave it out for all')
    .max(100, 'may have 100 entries')
    .nullable()
    .describe('Null for all that there are and will be'),
  domains: z
    .array(z.string().max(255, 'is too long'))
    .min(1, 'must name one domain at least; leave it out for all')
    .max(100, 'may have 100 entries')
    .nullable()
    .describe('Domains of the account, each by itself; null for all'),
  enabled: z.boolean(),
}

const wish = z.object({
  ...{ url: fields.url, description: fields.description.default('') },
  ...{ events: fields.events.default(null), domains: fields.domains.default(null) },
  enabled: fields.enabled.default(true),
})

export type WebhookWishBody = z.output<typeof wish>

const change = z.object(fields).partial()

export type WebhookChangeBody = z.output<typeof change>

const attempt = z.object({
  at: z.string(),
  duration_ms: z.number().int(),
  status: z.number().int().nullable().describe('Of the answer; null where there was none'),
  response: z.string().nullable().describe('The beginning of the answer'),
  error: z
    .enum(['refused', 'dns', 'connect', 'tls', 'http', 'timeout'])
    .nullable()
    .describe('`refused`: the URL leads where we do not go'),
  detail: z.string().nullable(),
})

export type WebhookAttemptBody = z.output<typeof attempt>

const delivery = z.object({
  id: z.string(),
  webhook_message_id: z.string().describe('The header webhook-id, the same at each attempt'),
  event_id: z.string(),
  type: z.string(),
  event_at: z.string(),
  status: z
    .enum(['pending', 'delivered', 'failed', 'expired'])
    .describe('`failed`: tried as often as it may be. `expired`: it waited for a week'),
  attempts: z.number().int().describe('Since it was sent first, or replayed'),
  next_attempt_at: z.string().nullable(),
  settled_at: z.string().nullable(),
  last_status: z.number().int().nullable(),
  last_error: z.string().nullable(),
})

export type WebhookDeliveryBody = z.output<typeof delivery>

const namedDelivery = delivery.meta({ id: 'WebhookDelivery' })
const wholeDelivery = delivery.extend({
  log: z.array(attempt).describe('The latest attempts, oldest first'),
  payload: z.unknown().describe('What is sent'),
})

export type WholeWebhookDeliveryBody = z.output<typeof wholeDelivery>

const trial = z.object({ works: z.boolean(), delivery_id: z.string(), attempt })

export type WebhookTrialBody = z.output<typeof trial>

const WEBHOOKS = '/accounts/{account_id}/email/webhooks'
const WEBHOOK = `${WEBHOOKS}/{webhook_id}` as const
const DELIVERIES = `${WEBHOOK}/deliveries` as const
const DELIVERY = `${DELIVERIES}/{webhook_delivery_id}` as const
const READ = { permission: 'Email Sending:Read', scope: 'account', method: 'GET' } as const
const EDIT = { permission: 'Email Sending:Edit', scope: 'account' } as const
const POST = { ...EDIT, method: 'POST' } as const

const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: 'must be a day or a time of RFC 3339',
})

export const listWebhooks = operation({
  ...READ,
  id: 'webhooks.list',
  path: WEBHOOKS,
  summary: 'Lists the webhooks of an account.',
  result: z.array(webhook),
  paging: 'single',
})

export const createWebhook = operation({
  ...POST,
  id: 'webhooks.create',
  path: WEBHOOKS,
  summary: 'Tells an HTTPS address what happens to mail, from now on. The answer has the secret, this once.',
  body: wish.meta({
    examples: [
      {
        url: 'https://example.com/hooks/mail',
        events: ['cf.email.sending.message.bounced', 'cf.email.sending.message.complained'],
        domains: ['yourdomain.com'],
      },
    ],
  }),
  result: withSecret,
})

export const getWebhook = operation({
  ...READ,
  id: 'webhooks.get',
  path: WEBHOOK,
  summary: 'Gets a webhook.',
  result: webhook,
})

export const editWebhook = operation({
  ...EDIT,
  id: 'webhooks.edit',
  method: 'PATCH',
  path: WEBHOOK,
  summary: 'Changes a webhook. `enabled: true` also ends a pause: what waits is told at once.',
  body: change.meta({ examples: [{ description: 'Bounces to the CRM', enabled: true }] }),
  result: webhook,
})

export const deleteWebhook = operation({
  ...EDIT,
  id: 'webhooks.delete',
  method: 'DELETE',
  path: WEBHOOK,
  summary: 'Removes a webhook, what waits for it, and its log.',
  result: z.object({ id: z.string() }),
})

export const rotateWebhookSecret = operation({
  ...POST,
  id: 'webhooks.rotate_secret',
  path: `${WEBHOOK}/rotate_secret`,
  summary:
    'Makes a new secret. The one before signs beside it for a while, so that the receiver may change over.',
  body: z
    .object({
      overlap_seconds: z
        .int('must be a whole number from 0 to 604800')
        .min(0, 'must not be negative')
        .max(7 * DAY_S, 'may be a week, 604800')
        .default(DAY_S),
    })
    .meta({ examples: [{ overlap_seconds: DAY_S }] }),
  bodyMayBeMissing: true,
  result: withSecret,
})

export const testWebhook = operation({
  ...POST,
  id: 'webhooks.test',
  path: `${WEBHOOK}/test`,
  summary: 'Sends an example at once, whatever state the webhook is in, and says how it went.',
  body: z
    .object({ event: event.default('cf.email.sending.message.delivered') })
    .meta({ examples: [{ event: 'cf.email.sending.message.delivered' }] }),
  bodyMayBeMissing: true,
  result: trial,
})

export const replayWebhook = operation({
  ...POST,
  id: 'webhooks.replay',
  path: `${WEBHOOK}/replay`,
  summary: 'Sends again what happened in a range of time, 10,000 events at most.',
  body: z
    .object({
      since: moment,
      before: moment.describe('Now, where it is left out').optional(),
      status: z
        .enum(['failed', 'all'], '"failed" or "all"')
        .describe('What did not arrive, or everything')
        .default('failed'),
    })
    .meta({ examples: [{ since: '2026-11-20T09:00:00Z', before: '2026-11-20T12:00:00Z' }] }),
  result: z.object({
    replayed: z.number().int(),
    more: z.boolean().describe('There are more: ask once more; where none was replayed, once fewer wait'),
  }),
})

export const listWebhookDeliveries = operation({
  ...READ,
  id: 'webhook_deliveries.list',
  path: DELIVERIES,
  summary: 'Lists what a webhook was told and is to be, the newest event first. The log goes back a week.',
  query: cursorQuery.extend({
    per_page: z.coerce.number('a number from 1 to 1000').int().min(1).max(1000).default(100),
    cursor: z.string().max(100).optional(),
    status: z.enum(['pending', 'delivered', 'failed', 'expired']).optional(),
    type: z.string().describe('Only this event').optional(),
    since: moment.optional(),
    before: moment.optional(),
  }),
  result: z.array(namedDelivery),
  paging: 'cursor',
})

export const getWebhookDelivery = operation({
  ...READ,
  id: 'webhook_deliveries.get',
  path: DELIVERY,
  summary: 'Gets what a webhook was told, with the attempts and their answers.',
  result: wholeDelivery,
})

export const replayWebhookDelivery = operation({
  ...POST,
  id: 'webhook_deliveries.replay',
  path: `${DELIVERY}/replay`,
  summary: 'Sends it again; one that waits is sent now.',
  result: wholeDelivery,
})

export const webhookOperations = [
  ...[listWebhooks, createWebhook, getWebhook, editWebhook, deleteWebhook, rotateWebhookSecret],
  ...[testWebhook, replayWebhook, listWebhookDeliveries, getWebhookDelivery, replayWebhookDelivery],
]
