import { z } from 'zod'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** `/accounts/{account_id}/event_subscriptions/subscriptions`: queues that are told what happens to mail (clients.md
 *  §3.4, newer-facts.md). Of the original's sources there is `email.sending`; `email.routing` is ours. */
export const EXAMPLE_ZONE = '9a7806061c88ada191ed06f989cc3dac'
export const EXAMPLE_QUEUE = '5efb343e8828f9f4af92bf441e3df5ba'

const SOURCES = ['email.sending', 'email.routing'] as const

/** What subscriptions to one source or the other may name. */
const EVENTS = [
  ...['message.delivered', 'message.deferred', 'message.bounced', 'message.failed', 'message.rejected'],
  ...['message.complained', 'message.forwarded', 'message.handled', 'message.dropped'],
  ...['domain.dns_drifted', 'domain.dns_restored'],
  ...['domain.deliverability_declined', 'domain.deliverability_restored'],
]

const source = z.object({
  type: z.enum(SOURCES, `one of ${SOURCES.join(', ')}`),
  zone_id: z.string(),
  domain: z.string(),
})

const destination = z.object({
  type: z.literal('queues.queue', '"queues.queue"'),
  queue_id: z.string().min(1, 'must not be empty').max(64, 'is too long'),
})

const subscription = z
  .object({
    id: z.string(),
    created_at: z.string(),
    modified_at: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    source,
    destination,
    events: z.array(z.string()),
  })
  .meta({ id: 'EventSubscription' })

export type EventSubscriptionBody = z.output<typeof subscription>

const name = z.string().min(1, 'must not be empty').max(255, 'may have 255 characters')
const events = z
  .array(z.string())
  .min(1, 'must name one event at least')
  .max(50, 'may have 50 entries')
  .describe(`Which events of the source are told, of ${EVENTS.join(', ')}`)

const wish = z.object({
  name: name.optional(),
  enabled: z.boolean().default(true),
  source: z.object({
    type: z.string().describe(`One of ${SOURCES.join(', ')}`),
    zone_id: z.string().max(64, 'is too long').describe('The zone of the domain').optional(),
    domain: z
      .string()
      .max(255, 'is too long')
      .describe('The zone’s own name, or one below it that sends (or takes mail)')
      .optional(),
  }),
  destination,
  events,
})

export type EventSubscriptionWish = z.output<typeof wish>

const change = z.object({
  name: name.optional(),
  enabled: z.boolean().optional(),
  destination: destination.optional(),
  events: events.optional(),
})

export type EventSubscriptionChange = z.output<typeof change>

const SUBSCRIPTIONS = '/accounts/{account_id}/event_subscriptions/subscriptions'
const SUBSCRIPTION = `${SUBSCRIPTIONS}/{subscription_id}` as const
// The original asks for what its queues ask for.
const READ = { permission: 'Workers:Read', scope: 'account', method: 'GET' } as const
const EDIT = { permission: 'Workers:Edit', scope: 'account' } as const

export const listEventSubscriptions = operation({
  ...READ,
  id: 'event_subscriptions.list',
  path: SUBSCRIPTIONS,
  summary: 'Lists the event subscriptions of an account.',
  query: pageQuery.extend({
    queue_id: z.string().describe('Only those of this queue').optional(),
    order: z.enum(['created_at', 'name', 'enabled', 'source']).default('created_at'),
    direction: z.enum(['asc', 'desc']).default('asc'),
  }),
  result: z.array(subscription),
  paging: 'pages',
})

export const createEventSubscription = operation({
  ...EDIT,
  id: 'event_subscriptions.create',
  method: 'POST',
  path: SUBSCRIPTIONS,
  summary: 'Tells a queue what happens to the mail of a domain, from now on.',
  body: wish.meta({
    examples: [
      {
        name: 'mail-events email.sending',
        enabled: true,
        source: { type: 'email.sending', zone_id: EXAMPLE_ZONE, domain: 'yourdomain.com' },
        destination: { type: 'queues.queue', queue_id: EXAMPLE_QUEUE },
        events: ['message.delivered', 'message.bounced'],
      },
    ],
  }),
  result: subscription,
})

export const getEventSubscription = operation({
  ...READ,
  id: 'event_subscriptions.get',
  path: SUBSCRIPTION,
  summary: 'Gets an event subscription.',
  result: subscription,
})

export const editEventSubscription = operation({
  ...EDIT,
  id: 'event_subscriptions.edit',
  method: 'PATCH',
  path: SUBSCRIPTION,
  summary: 'Changes an event subscription; its source stays.',
  body: change.meta({ examples: [{ enabled: true, events: ['message.bounced', 'message.complained'] }] }),
  result: subscription,
})

export const deleteEventSubscription = operation({
  ...EDIT,
  id: 'event_subscriptions.delete',
  method: 'DELETE',
  path: SUBSCRIPTION,
  summary: 'Removes an event subscription; what is in the queue stays there.',
  result: subscription,
})

export const eventSubscriptionOperations = [
  ...[listEventSubscriptions, createEventSubscription, getEventSubscription],
  ...[editEventSubscription, deleteEventSubscription],
]
