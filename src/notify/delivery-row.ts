import { newId } from '#store/id.ts'
import { statement, type Write } from '#store/store.ts'
import { envelopeFor, type LifecycleEvent } from './lifecycle-event.ts'
import type { PostFault } from './post-webhook.ts'

/** An event on its way to a webhook, or what became of it. */
export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'expired'

/** One attempt, for the log. */
export interface AttemptEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly durationMs: number
  /** What was answered; absent where nothing was. */
  readonly status?: number
  /** The beginning of the answer. */
  readonly excerpt?: string
  readonly fault?: PostFault
  readonly detail?: string
}

export interface DeliveryRow {
  readonly seq: number
  readonly id: string
  readonly webhook_id: string
  readonly event_id: string
  readonly type: string
  readonly at: number
  readonly order_key: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly due_at: number
  readonly settled_at: number | null
  readonly log: string
  readonly body: string
}

export const DELIVERY_COLUMNS = `d.seq, d.id, d.webhook_id, d.event_id, d.type, d.at, d.order_key, d.state, d.attempts,
  d.due_at, d.settled_at, d.log, d.body`

const MOST_ENTRIES = 25

export function readLog({ log }: Pick<DeliveryRow, 'log'>): readonly AttemptEntry[] {
  // Written by `withEntry` alone.
  return JSON.parse(log)
}

/** The log with one attempt more. */
export function withEntry(row: Pick<DeliveryRow, 'log'>, entry: AttemptEntry): string {
  return JSON.stringify([...readLog(row), entry].slice(-MOST_ENTRIES))
}

/** The same at each attempt and for each webhook, so that a receiver knows what it has seen (Standard Webhooks). */
export function webhookMessageId(eventId: string): string {
  return `msg_${eventId}`
}

/** The time after which nobody waits for what waits, and after which what is settled goes from the log. */
export const KEEP_MS = 7 * 86_400_000

// One statement for a whole batch, in its order: `seq` says what comes first. A webhook that went meanwhile gets nothing,
// and of an event that comes again it has one already.
const INTO = `insert into webhook_delivery (id, webhook_id, account_id, event_id, type, at, order_key, state, attempts, due_at,
  expires_at, settled_at, log, body)`
const SHARED = `'pending', 0, {now}, {now} + cast($2 as bigint), null, '[]'`
const WANTED = `w.deleted_at is null and w.state <> 'disabled'`
const AGAIN = 'on conflict (webhook_id, event_id) do nothing'
const insertDeliveries = statement('webhook-delivery.insert', {
  sqlite: `${INTO} select n.value->>0, w.id, w.account_id, n.value->>2, n.value->>3, n.value->>4, n.value->>5, ${SHARED}, n.value->>6
    from json_each($1) n join webhook w on w.id = n.value->>1 where ${WANTED} order by n.key ${AGAIN}`,
  postgres: `${INTO} select n.value->>0, w.id, w.account_id, n.value->>2, n.value->>3, (n.value->>4)::bigint, n.value->>5, ${SHARED},
      n.value->>6
    from json_array_elements($1::json) with ordinality n (value, key) join webhook w on w.id = n.value->>1
    where ${WANTED} order by n.key ${AGAIN}`,
})

/** An event and a webhook that is to be told of it. */
export interface ToTell {
  readonly event: LifecycleEvent
  readonly webhookId: string
}

/** For the commit that makes it so that they are told. */
export function deliveryWrites(toTell: readonly ToTell[], keepMs = KEEP_MS): readonly Write[] {
  return inParts(toTell).map((part) => {
    const rows = part.map(({ event, webhookId }) => [
      ...[newId(), webhookId, event.id, event.name, event.at, event.orderKey],
      envelopeFor(event, webhookId),
    ])
    return { statement: insertDeliveries, params: [JSON.stringify(rows), keepMs] }
  })
}

const PART = 500

/** So that no statement carries more than it should. */
export function inParts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / PART) }, (_, index) =>
    all.slice(index * PART, (index + 1) * PART),
  )
}
