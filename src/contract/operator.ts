import { z } from 'zod'
import type { DeliveryBody, TimelineBody } from './messages.ts'

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

export interface ActResult {
  readonly action: QueueAction
  readonly dry_run: boolean
  /** What was selected, before. The claimed ones are being attempted, and left alone. */
  readonly selected: QueueCounts
  /** What was changed; of a dry run, what would be. */
  readonly changed: number
  /** Whether the limit ended it: the same call goes on. */
  readonly more: boolean
}

export interface QueueCounts {
  readonly waiting: number
  readonly claimed: number
  readonly held: number
}

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

export interface PauseBody {
  readonly kind: 'domain' | 'host'
  readonly name: string
  readonly reason: string
  readonly until: string | null
  readonly created_at: string
}

export interface QueuedDelivery extends DeliveryBody {
  readonly account_id: string
  /** Whether its recipient domain is. */
  readonly paused: boolean
}

export interface QueueBody {
  readonly totals: QueueCounts
  readonly accounts: readonly (QueueCounts & { readonly account_id: string; readonly name: string | null })[]
  readonly domains: readonly (QueueCounts & { readonly domain: string })[]
  readonly lanes: { readonly total: number; readonly due: number; readonly failing: number }
  readonly failing: readonly {
    readonly account_id: string
    readonly domain: string
    /** How often in a row none of its hosts answered. */
    readonly failures: number
    readonly next_attempt_at: string
  }[]
  readonly oldest: {
    readonly id: string
    readonly domain: string
    readonly state: string
    readonly created_at: string
    readonly expires_at: string
  } | null
  readonly paused: readonly PauseBody[]
}

export interface DeliveryTimeline extends TimelineBody {
  readonly delivery: QueuedDelivery
}
