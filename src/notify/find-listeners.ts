import { type Store, statement } from '#store/store.ts'
import {
  type EventSubscription,
  LIVING_SUBSCRIPTIONS,
  SUBSCRIPTION_COLUMNS,
  type SubscriptionRow,
  subscriptionOf,
} from './event-subscription.ts'
import type { LifecycleEvent } from './lifecycle-event.ts'
import { WEBHOOK_COLUMNS, type Webhook, type WebhookRow, webhookOf } from './webhook.ts'

/** Who of some accounts wants to be told, whatever of. */
export interface Listeners {
  readonly subscriptions: readonly EventSubscription[]
  readonly webhooks: readonly Webhook[]
}

const NONE: Listeners = { subscriptions: [], webhooks: [] }

const LISTED = {
  sqlite: 'in (select value from json_each($1))',
  postgres: '= any (array(select json_array_elements_text($1::json)))',
} as const
const both = (sql: (listed: string) => string) => ({
  sqlite: sql(LISTED.sqlite),
  postgres: sql(LISTED.postgres),
})

const any = statement<{ readonly found: number }>(
  'notify.any-listener',
  'select 1 as found where exists (select 1 from webhook) or exists (select 1 from event_subscription)',
)
const subscriptionsOf = statement<SubscriptionRow>(
  'notify.subscriptions-of',
  both(
    (listed) =>
      `select ${SUBSCRIPTION_COLUMNS} from ${LIVING_SUBSCRIPTIONS} where s.enabled = 1 and s.account_id ${listed}`,
  ),
)
const webhooksOf = statement<WebhookRow>(
  'notify.webhooks-of',
  both(
    (listed) =>
      `select ${WEBHOOK_COLUMNS} from webhook w
       where w.deleted_at is null and w.state <> 'disabled' and w.account_id ${listed}`,
  ),
)

export async function findListeners(store: Store, accountIds: ReadonlySet<string>): Promise<Listeners> {
  // Most installations have none.
  if (accountIds.size === 0 || !(await store.get(any, []))) return NONE
  const accounts = JSON.stringify([...accountIds])
  const [subscriptions, webhooks] = await Promise.all([
    store.all(subscriptionsOf, [accounts]),
    store.all(webhooksOf, [accounts]),
  ])
  return { subscriptions: subscriptions.map(subscriptionOf), webhooks: webhooks.map(webhookOf) }
}

/** A subscription is about one domain, and the events that it names. */
export function isForSubscription(
  { accountId, of }: LifecycleEvent,
  subscription: EventSubscription,
): boolean {
  return (
    of !== undefined &&
    subscription.accountId === accountId &&
    subscription.source === of.source &&
    subscription.zoneId === of.zoneId &&
    subscription.domain === of.domain &&
    subscription.events.includes(of.name)
  )
}

/** Domains choose only among events that have one. */
export function isForWebhook({ accountId, name, of }: LifecycleEvent, webhook: Webhook): boolean {
  const { events, domains } = webhook
  return (
    webhook.accountId === accountId &&
    (events === null || events.includes(name)) &&
    (domains === null || of === undefined || domains.includes(of.domain))
  )
}
