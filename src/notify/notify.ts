/** Notify: whoever wants to is told what happens to mail. In: events on their way out of the outbox. Out: messages in
 *  Queues, and signed requests to webhooks (Standard Webhooks), both with the envelope of newer-facts.md. Promise: what
 *  `notificationsFor` answers is in the commit that takes its events out of the outbox, so none is lost by a crash; each
 *  is told at least once, and what is about one message in the order in which it happened. A webhook that fails, hangs or
 *  lies costs no other anything, and leads nowhere that `mayDial` does not allow. What it is told is tried for days,
 *  then given up, and can be replayed for as long as the log is kept; past a number the oldest that waits for one webhook
 *  is dropped, which is counted. */
import type { ConnectionOptions } from 'node:tls'
import type { Resolver } from '#net/resolver.ts'
import type { Store, Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import type { Queues } from '#workers/storage/queues.ts'
import { type Backlog, readBacklog } from './backlog.ts'
import {
  type DeliveryFilter,
  type DeliveryPage,
  findDelivery,
  listDeliveries,
  type WebhookDelivery,
} from './delivery-log.ts'
import { KEEP_MS } from './delivery-row.ts'
import { dropOldest, MOST_WAITING } from './drop-oldest.ts'
import { type EventSubscriptions, openEventSubscriptions } from './event-subscriptions.ts'
import { openLeases } from './leases.ts'
import type { TellableEvent } from './lifecycle-event.ts'
import type { Lookout } from './lookout.ts'
import { notificationsFor } from './notifications-for.ts'
import { NOBODY_WATCHES, type NotifyWatch } from './notify-watch.ts'
import { openPostWebhook } from './post-webhook.ts'
import { openReplays, type Replays } from './replays.ts'
import type { RecordPause } from './settle-attempt.ts'
import { openSubscriptionPump } from './subscription-pump.ts'
import { sweepDeliveries } from './sweep.ts'
import { openTryWebhook, type TryWebhook } from './try-webhook.ts'
import type { WebhookPlace } from './webhook.ts'
import { openWebhookPump } from './webhook-pump.ts'
import type { UrlRules } from './webhook-url.ts'
import { openWebhooks, type Webhooks } from './webhooks.ts'

export interface Notify extends Replays {
  readonly subscriptions: EventSubscriptions
  readonly webhooks: Webhooks
  readonly tryWebhook: TryWebhook
  /** What was told to a webhook and is to be, the newest event first. */
  deliveries(
    place: WebhookPlace,
    filter: DeliveryFilter,
    page: DeliveryPage,
  ): Promise<readonly WebhookDelivery[]>
  delivery(place: WebhookPlace, deliveryId: string): Promise<WebhookDelivery | undefined>
  /** For the projector: the writes that make it so that these events are told, in their order. */
  notificationsFor(events: readonly TellableEvent[]): Promise<readonly Write[]>
  /** What waits of all accounts: for figures. */
  backlog(): Promise<readonly Backlog[]>
  /** Begins to tell what waits. */
  begin(): void
  /** There may be something to tell: a hint, each second it looks by itself. */
  wake(): void
  /** Ends what waited for too long, drops what is too much, and forgets what is old; some of it, often enough called. */
  sweep(): Promise<void>
  /** What is under way has a moment to end; the rest waits for the next start. */
  close(): Promise<void>
}

export interface NotifyWorld extends UrlRules {
  readonly store: Store
  readonly vault: Vault
  readonly queues: Pick<Queues, 'send'>
  readonly resolver: Pick<Resolver, 'addresses'>
  /** Instead of the system's authorities. */
  readonly ca?: ConnectionOptions['ca']
  readonly clock: () => number
  readonly random: () => number
  readonly recordPause: RecordPause
  readonly onError: (error: unknown) => void
  readonly watch?: NotifyWatch
  /** How long what waits may wait, and what is settled stays in the log. */
  readonly keepMs?: number
  /** How many events may wait for one webhook; more for about a minute. */
  readonly mostWaiting?: number
  /** How long a webhook may do nothing but fail. */
  readonly pauseAfterMs?: number
  /** The rest is for tests. */
  readonly retryMs?: readonly number[]
  readonly restMs?: number
  readonly timeoutMs?: number
  readonly pollMs?: number
  readonly leaseMs?: number
  readonly graceMs?: number
}

const PAUSE_AFTER_MS = 5 * 86_400_000
const POLL_MS = 1000
const LEASE_MS = 30_000
const GRACE_MS = 3000

export async function openNotify(world: NotifyWorld): Promise<Notify> {
  const { store, vault, queues, clock, random, recordPause, onError, retryMs, restMs } = world
  const { keepMs = KEEP_MS, pauseAfterMs = PAUSE_AFTER_MS, mostWaiting = MOST_WAITING } = world
  const { pollMs = POLL_MS, leaseMs = LEASE_MS, graceMs = GRACE_MS, watch = NOBODY_WATCHES } = world
  // One process owns a SQLite store. On PostgreSQL other nodes may be at work: their leases end by themselves.
  if (store.engine === 'sqlite') {
    await openLeases(store, 'webhook', leaseMs).voidAll()
    await openLeases(store, 'event_subscription', leaseMs).voidAll()
  }
  const post = openPostWebhook(world)
  const pumps: Lookout[] = []

  return {
    subscriptions: openEventSubscriptions(store, clock),
    webhooks: openWebhooks({ store, vault, urls: world, clock }),
    tryWebhook: openTryWebhook({ store, vault, post, clock, keepMs }),
    deliveries: (place, filter, page) => listDeliveries(store, place, filter, page),
    delivery: (place, deliveryId) => findDelivery(store, place, deliveryId),
    ...openReplays({ store, clock, keepMs, mostWaiting }),
    notificationsFor: (events) => notificationsFor(store, events, keepMs),
    backlog: () => readBacklog(store, keepMs),
    begin() {
      if (pumps.length > 0) return
      const shared = { store, watch, onError, pollMs, leaseMs }
      pumps.push(
        openSubscriptionPump({ ...shared, queues }),
        openWebhookPump({
          ...{ ...shared, vault, post, clock, random, recordPause, pauseAfterMs, keepMs, graceMs },
          ...(retryMs && { retryMs }),
          ...(restMs !== undefined && { restMs }),
        }),
      )
    },
    wake() {
      for (const pump of pumps) pump.wake()
    },
    async sweep() {
      await sweepDeliveries(store, { keepMs, now: clock() })
      const dropped = await dropOldest(store, mostWaiting)
      if (dropped > 0) watch.dropped(dropped)
    },
    async close() {
      await Promise.all(pumps.map((pump) => pump.close()))
    },
  }
}
