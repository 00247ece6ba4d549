import { type Store, statement, type Write } from '#store/store.ts'
import { deliveryWrites, inParts } from './delivery-row.ts'
import { findListeners, isForSubscription, isForWebhook } from './find-listeners.ts'
import {
  envelopeFor,
  type KnownMessage,
  type LifecycleEvent,
  lifecycleEvent,
  type TellableEvent,
} from './lifecycle-event.ts'

interface MessageRow {
  readonly id: string
  readonly header_message_id: string
  readonly is_forward: number
  readonly created_at: number
}

const COLUMNS = `id, header_message_id, case when forwarding is null then 0 else 1 end as is_forward, created_at`
const messages = statement<MessageRow>('notify.messages', {
  sqlite: `select ${COLUMNS} from message where id in (select value from json_each($1))`,
  postgres: `select ${COLUMNS} from message where id = any (array(select json_array_elements_text($1::json)))`,
})

// A subscription that went meanwhile gets nothing.
const insertNotifications = statement('queue-notification.insert', {
  sqlite: `insert into queue_notification (subscription_id, body)
    select s.id, n.value->>1 from json_each($1) n join event_subscription s on s.id = n.value->>0
    where s.enabled = 1 order by n.key`,
  postgres: `insert into queue_notification (subscription_id, body)
    select s.id, n.value->>1 from json_array_elements($1::json) with ordinality n (value, key)
    join event_subscription s on s.id = n.value->>0 where s.enabled = 1 order by n.key`,
})

/** What becomes of a batch from the outbox, in its order, for the commit that takes it out: a row for each event and each
 *  who is to be told of it. Asked again about the same events it answers the same. */
export async function notificationsFor(
  store: Store,
  events: readonly TellableEvent[],
  keepMs: number,
): Promise<readonly Write[]> {
  const { subscriptions, webhooks } = await findListeners(
    store,
    new Set(events.map(({ accountId }) => accountId)),
  )
  if (subscriptions.length === 0 && webhooks.length === 0) return []
  const listening = new Set([...subscriptions, ...webhooks].map(({ accountId }) => accountId))
  const told = await describe(
    store,
    events.filter(({ accountId }) => listening.has(accountId)),
  )
  const toQueues = told.flatMap((event) =>
    subscriptions
      .filter((subscription) => isForSubscription(event, subscription))
      .map(({ id }) => [id, envelopeFor(event, id)]),
  )
  const toWebhooks = told.flatMap((event) =>
    webhooks.filter((webhook) => isForWebhook(event, webhook)).map(({ id }) => ({ event, webhookId: id })),
  )
  return [
    ...inParts(toQueues).map((part) => ({
      statement: insertNotifications,
      params: [JSON.stringify(part)],
    })),
    ...deliveryWrites(toWebhooks, keepMs),
  ]
}

async function describe(store: Store, events: readonly TellableEvent[]): Promise<readonly LifecycleEvent[]> {
  const known = await readMessages(store, events)
  return events
    .map((event) => lifecycleEvent(event, known.get(event.messageId ?? '')))
    .filter((event) => event !== undefined)
}

async function readMessages(
  store: Store,
  events: readonly TellableEvent[],
): Promise<ReadonlyMap<string, KnownMessage>> {
  const ids = new Set(events.map(({ messageId }) => messageId).filter((id) => id !== null))
  if (ids.size === 0) return new Map()
  const rows = await store.all(messages, [JSON.stringify([...ids])])
  return new Map(
    rows.map((row) => [
      row.id,
      {
        headerMessageId: row.header_message_id,
        isForward: row.is_forward === 1,
        createdAt: row.created_at,
      },
    ]),
  )
}
