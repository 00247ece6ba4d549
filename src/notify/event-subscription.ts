import type { EventSource, ShortName } from './event-names.ts'

/** A queue that is told what happens to the mail of one domain, as its account set it up. */
export interface EventSubscription extends SubscriptionWish {
  readonly id: string
  readonly accountId: string
  /** Milliseconds. */
  readonly createdAt: number
  readonly modifiedAt: number
}

export interface SubscriptionWish {
  readonly name: string
  readonly enabled: boolean
  readonly source: EventSource
  readonly zoneId: string
  /** In lower-case A-labels: the zone's own name or one below it. */
  readonly domain: string
  readonly queueId: string
  readonly events: readonly ShortName[]
}

/** A subscription, as the one who asks about it may: another account's is none. */
export interface SubscriptionPlace {
  readonly accountId: string
  readonly subscriptionId: string
}

export interface SubscriptionRow {
  readonly id: string
  readonly account_id: string
  readonly name: string
  readonly enabled: number
  readonly source: EventSource
  readonly zone_id: string
  readonly domain: string
  readonly queue_id: string
  readonly events: string
  readonly created_at: number
  readonly modified_at: number
}

export const SUBSCRIPTION_COLUMNS = `s.id, s.account_id, s.name, s.enabled, s.source, s.zone_id, s.domain, s.queue_id,
  s.events, s.created_at, s.modified_at`

/** One whose queue is gone is gone. */
export const LIVING_SUBSCRIPTIONS = `event_subscription s join worker_queue q on q.id = s.queue_id and q.deleted_at is null`

export function subscriptionOf(row: SubscriptionRow): EventSubscription {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    enabled: row.enabled === 1,
    source: row.source,
    zoneId: row.zone_id,
    domain: row.domain,
    queueId: row.queue_id,
    // Written by the registry alone.
    events: JSON.parse(row.events),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  }
}
