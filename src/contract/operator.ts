import { z } from 'zod'
import { delivery, timeline } from './messages.ts'
import { operation } from './operation.ts'
import { cursorQuery } from './paging.ts'

/** `/operator/v1`: the queue of the whole installation, for whoever runs it. Times are in ISO 8601; a duration is a
 *  number and s, m, h or d. */
export const QUEUE_STATES = ['waiting', 'claimed', 'held'] as const
export const QUEUE_ACTIONS = ['hold', 'release', 'retry', 'cancel', 'expire'] as const
export type QueueAction = (typeof QUEUE_ACTIONS)[number]

/** Deliveries of the queue: those that meet all of it. */
const selection = {
  ids: z.array(z.string()).min(1).max(1000, 'may have 1,000 entries at most').optional(),
  account_id: z.string().optional(),
  /** The recipients' domain. */
  domain: z.string().optional(),
  /** An MX host: the domains in the queue that are served there now. */
  destination: z.string().optional(),
  state: z.enum(QUEUE_STATES).optional(),
  /** A duration, or a time. */
  older_than: z.string().optional(),
}

export const actRequest = z.strictObject({
  ...selection,
  /** What a selection that says nothing else must say. */
  all: z.literal(true).optional(),
  dry_run: z.boolean().optional(),
  /** How many deliveries at most; `more` says whether to call again. */
  limit: z
    .number()
    .refine((n) => Number.isInteger(n) && n >= 1 && n <= 100_000, 'must be a whole number from 1 to 100,000')
    .optional(),
})
export type ActRequest = z.output<typeof actRequest>
export type SelectionFields = Omit<ActRequest, 'all' | 'dry_run' | 'limit'>

const counts = z.object({ waiting: z.number().int(), claimed: z.number().int(), held: z.number().int() })

export type QueueCounts = z.output<typeof counts>

const actResult = z.object({
  action: z.enum(QUEUE_ACTIONS),
  dry_run: z.boolean(),
  selected: counts.describe(
    'What was selected, before. The claimed ones are being attempted, and left alone',
  ),
  changed: z.number().int().describe('How many were changed; of a dry run, would be'),
  more: z.boolean().describe('Whether the limit ended it: the same call goes on'),
})

export type ActResult = z.output<typeof actResult>

export const pauseRequest = z.strictObject({
  kind: z.enum(['domain', 'host']),
  name: z.string(),
  reason: z.string().max(500, 'may have 500 characters at most').optional(),
  /** When it ends by itself. */
  until: z.string().optional(),
  /** The same as a duration. */
  for: z.string().optional(),
})
export type PauseRequest = z.output<typeof pauseRequest>

const pause = z
  .object({
    kind: z.enum(['domain', 'host']),
    name: z.string(),
    reason: z.string(),
    until: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'Pause' })

export type PauseBody = z.output<typeof pause>

const queuedDelivery = delivery
  .extend({
    account_id: z.string(),
    paused: z.boolean().describe('Whether its recipient domain is'),
  })
  .meta({ id: 'QueuedDelivery' })

export type QueuedDelivery = z.output<typeof queuedDelivery>

const queue = z.object({
  totals: counts,
  accounts: z.array(counts.extend({ account_id: z.string(), name: z.string().nullable() })).readonly(),
  domains: z.array(counts.extend({ domain: z.string() })).readonly(),
  lanes: z.object({ total: z.number().int(), due: z.number().int(), failing: z.number().int() }),
  failing: z
    .array(
      z.object({
        account_id: z.string(),
        domain: z.string(),
        failures: z.number().int().describe('How often in a row none of its hosts answered'),
        next_attempt_at: z.string(),
      }),
    )
    .readonly(),
  oldest: z
    .object({
      id: z.string(),
      domain: z.string(),
      state: z.string(),
      created_at: z.string(),
      expires_at: z.string(),
    })
    .nullable(),
  paused: z.array(pause).readonly(),
})

export type QueueBody = z.output<typeof queue>

const deliveryTimeline = timeline.extend({ delivery: queuedDelivery })

export type DeliveryTimeline = z.output<typeof deliveryTimeline>

const all = { permission: 'none', scope: 'installation' } as const

export const getQueue = operation({
  ...all,
  id: 'queue.get',
  method: 'GET',
  path: '/queue',
  summary: 'How much is in the queue, of whom and for where, and what is failing.',
  result: queue,
})

export const listQueued = operation({
  ...all,
  id: 'queue.deliveries',
  method: 'GET',
  path: '/deliveries',
  summary:
    'Lists what is in the queue, what expires first coming first; with message_id, all deliveries of that message.',
  query: z
    .strictObject({
      account_id: z.string().optional(),
      domain: z.string().describe('The recipients’').optional(),
      destination: z.string().describe('An MX host: the domains that are served there now').optional(),
      state: z.enum(QUEUE_STATES).optional(),
      older_than: z.string().describe('A duration such as 90s, 15m, 2h or 7d, or a time').optional(),
      message_id: z.string().describe('Stands alone').optional(),
    })
    .extend(cursorQuery.shape),
  result: z.array(queuedDelivery),
  paging: 'cursor',
})

export const getQueuedTimeline = operation({
  ...all,
  id: 'queue.timeline',
  method: 'GET',
  path: '/deliveries/{delivery_id}/timeline',
  summary: 'A delivery, in whatever state, and what happened to it.',
  query: cursorQuery,
  result: deliveryTimeline,
  paging: 'cursor',
})

const ACTS = {
  hold: 'Holds deliveries back until they are released.',
  release: 'Lets deliveries that are held go on.',
  retry: 'Tries deliveries that wait again now.',
  cancel: 'Ends deliveries; their recipients get nothing, and nobody is told.',
  expire: 'Ends deliveries as if their time were over; their senders are told.',
} as const satisfies Record<QueueAction, string>

export const actOperations = QUEUE_ACTIONS.map((action) =>
  operation({
    ...all,
    id: `queue.${action}`,
    method: 'POST',
    path: `/deliveries/${action}`,
    summary: ACTS[action],
    body: actRequest.meta({ examples: [{ domain: 'example.com', dry_run: true }] }),
    result: actResult,
  }),
)

export const listPauses = operation({
  ...all,
  id: 'pauses.list',
  method: 'GET',
  path: '/pauses',
  summary: 'Lists the domains and hosts that rest.',
  result: z.array(pause),
})

export const addPause = operation({
  ...all,
  id: 'pauses.create',
  method: 'POST',
  path: '/pauses',
  summary: 'Has a domain or a host rest; of one that rests it changes the reason and the end.',
  body: pauseRequest.meta({
    examples: [{ kind: 'domain', name: 'example.com', reason: 'They asked us to wait', for: '2h' }],
  }),
  result: pause,
})

export const endPause = operation({
  ...all,
  id: 'pauses.delete',
  method: 'DELETE',
  path: '/pauses/{pause_kind}/{pause_name}',
  summary: 'Ends a pause.',
  result: pause,
})

export const operatorOperations = [
  ...[getQueue, listQueued, getQueuedTimeline],
  ...actOperations,
  ...[listPauses, addPause, endPause],
]
