import { type Store, statement } from '#store/store.ts'
import {
  type AttemptEntry,
  DELIVERY_COLUMNS,
  type DeliveryRow,
  type DeliveryState,
  readLog,
  webhookMessageId,
} from './delivery-row.ts'
import type { WebhookPlace } from './webhook.ts'

/** An event that a webhook was told, or is to be. */
export interface WebhookDelivery {
  readonly id: string
  readonly seq: number
  /** `webhook-id` of its requests. */
  readonly messageId: string
  readonly eventId: string
  readonly type: string
  /** When it happened, in milliseconds since 1970, like all times here. */
  readonly at: number
  readonly state: DeliveryState
  readonly attempts: number
  /** Of one that waits. */
  readonly nextAttemptAt: number | null
  readonly settledAt: number | null
  /** The latest attempts, oldest first. */
  readonly log: readonly AttemptEntry[]
  /** What is sent: an envelope as JSON. */
  readonly body: string
}

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined
  readonly type?: string | undefined
  /** When it happened: from here, to before there. */
  readonly since?: number | undefined
  readonly before?: number | undefined
}

export interface DeliveryPage {
  readonly limit: number
  /** The last one of the page before. */
  readonly after?: { readonly at: number; readonly seq: number } | undefined
}

const END_OF_TIME = Number.MAX_SAFE_INTEGER

const page = statement<DeliveryRow>(
  'webhook-delivery.page',
  `select ${DELIVERY_COLUMNS} from webhook_delivery d
   where d.webhook_id = $1 and d.account_id = $2 and d.at >= $3 and d.at < $4 and (d.at, d.seq) < ($5, $6)
     and (cast($7 as text) is null or d.state = $7) and (cast($8 as text) is null or d.type = $8)
   order by d.at desc, d.seq desc limit $9`,
)
const byId = statement<DeliveryRow>(
  'webhook-delivery.by-id',
  `select ${DELIVERY_COLUMNS} from webhook_delivery d where d.webhook_id = $1 and d.account_id = $2 and d.id = $3`,
)

/** What a webhook was told and is to be, the newest event first, for as long as the log is kept. */
export async function listDeliveries(
  store: Store,
  { accountId, webhookId }: WebhookPlace,
  { state, type, since = 0, before = END_OF_TIME }: DeliveryFilter,
  { limit, after = { at: END_OF_TIME, seq: END_OF_TIME } }: DeliveryPage,
): Promise<readonly WebhookDelivery[]> {
  const of = [webhookId, accountId, since, before, after.at, after.seq]
  const params = [...of, state ?? null, type ?? null, limit]
  return (await store.all(page, params)).map(deliveryOf)
}

export async function findDelivery(
  store: Store,
  { accountId, webhookId }: WebhookPlace,
  deliveryId: string,
): Promise<WebhookDelivery | undefined> {
  const row = await store.get(byId, [webhookId, accountId, deliveryId])
  return row && deliveryOf(row)
}

function deliveryOf(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    seq: row.seq,
    messageId: webhookMessageId(row.event_id),
    eventId: row.event_id,
    type: row.type,
    at: row.at,
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: row.state === 'pending' ? row.due_at : null,
    settledAt: row.settled_at,
    log: readLog(row),
    body: row.body,
  }
}
