import { type Store, statement } from '#store/store.ts'
import type { Listener } from './notify-watch.ts'
import { WAITING_WEBHOOKS } from './waiting-sql.ts'

/** What waits to be told, of all listeners of a kind that fare alike. */
export interface Backlog {
  readonly listener: Listener
  readonly state: BacklogState
  readonly waiting: number
  /** How long it has waited that waits longest; 0 where nothing does. */
  readonly oldestMs: number
}

const STATES = ['active', 'failing', 'paused', 'disabled'] as const

/** `failing`: its last attempt failed. A queue is always `active`. */
export type BacklogState = (typeof STATES)[number]

interface WebhooksRow {
  readonly state: BacklogState
  readonly waiting: number
  readonly expires_at: number
  readonly now: number
}

const OF_WEBHOOK = `from webhook_delivery d where d.webhook_id = w.id and d.state = 'pending'`
const webhooks = statement<WebhooksRow>(
  'webhook-delivery.backlog',
  `${WAITING_WEBHOOKS}
   select state, sum(waiting) as waiting, min(expires_at) as expires_at, {now} as now from (
     select case when w.state = 'active' and w.failures > 0 then 'failing' else w.state end as state,
       (select count(*) ${OF_WEBHOOK}) as waiting,
       (select d.expires_at ${OF_WEBHOOK} order by d.seq limit 1) as expires_at
     from waiting join webhook w on w.id = waiting.id where w.deleted_at is null) of_each
   where waiting > 0 group by state`,
)
const queues = statement<{ readonly waiting: number; readonly body: string | null; readonly now: number }>(
  'queue-notification.backlog',
  `select count(*) as waiting, (select body from queue_notification order by seq limit 1) as body, {now} as now
   from queue_notification`,
)

/** Counted along indexes that hold all that is counted, but in a scan none the less. Each state is in the answer. */
export async function readBacklog(store: Store, keepMs: number): Promise<readonly Backlog[]> {
  const [ofWebhooks, [ofQueues]] = await Promise.all([store.all(webhooks, []), store.all(queues, [])])
  const found = new Map(ofWebhooks.map((row) => [row.state, row]))
  return [
    ...STATES.map((state): Backlog => {
      const row = found.get(state)
      // It waits since it was written down, or was wanted again: `keepMs` before it expires.
      const oldestMs = row ? Math.max(0, row.now - (row.expires_at - keepMs)) : 0
      return { listener: 'webhook', state, waiting: row?.waiting ?? 0, oldestMs }
    }),
    {
      ...{ listener: 'queue', state: 'active', waiting: ofQueues?.waiting ?? 0 },
      oldestMs: ofQueues?.body ? Math.max(0, ofQueues.now - toldAt(ofQueues.body)) : 0,
    },
  ]
}

/** When the event of an envelope happened, which is about when it was written down here. */
function toldAt(body: string): number {
  // Written by `envelopeFor` alone.
  const { metadata } = JSON.parse(body) as { readonly metadata: { readonly eventTimestamp: string } }
  return Date.parse(metadata.eventTimestamp)
}
