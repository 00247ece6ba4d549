import { type Store, statement } from '#store/store.ts'
import { isQueueFault, readQueueBatch } from '#workers/storage/queue-batch.ts'
import type { Queues } from '#workers/storage/queues.ts'
import { due } from './due-sql.ts'
import { openLeases } from './leases.ts'
import { type Lookout, openLookout } from './lookout.ts'
import type { NotifyWatch } from './notify-watch.ts'
import { WAITING_SUBSCRIPTIONS } from './waiting-sql.ts'

export interface SubscriptionPumpWorld {
  readonly store: Store
  readonly queues: Pick<Queues, 'send'>
  readonly watch: NotifyWatch
  readonly onError: (error: unknown) => void
  readonly pollMs: number
  readonly leaseMs: number
}

/** What a queue takes at once. */
const MOST_MESSAGES = 100
const MOST_OCTETS = 256_000
/** Of one subscription before the others have their turn. */
const BATCHES = 10

interface NotificationRow {
  readonly seq: number
  readonly body: string
}

const anyWaiting = statement<{ readonly found: number }>(
  'queue-notification.any',
  'select 1 as found from queue_notification limit 1',
)
const dueSubscriptions = statement<{
  readonly id: string
  readonly account_id: string
  readonly queue_id: string
}>(
  'event-subscription.due',
  `${WAITING_SUBSCRIPTIONS}
   select s.id, s.account_id, s.queue_id from waiting join event_subscription s on s.id = waiting.id
   where ${due('s.leased_until')}`,
)
const oldest = statement<NotificationRow>(
  'queue-notification.oldest',
  `select seq, body from queue_notification where subscription_id = $1 order by seq limit ${MOST_MESSAGES}`,
)
const forget = statement('queue-notification.delete', {
  sqlite: 'delete from queue_notification where seq in (select value from json_each($1))',
  postgres:
    'delete from queue_notification where seq = any (array(select json_array_elements_text($1::json)::bigint))',
})

/** Hands what subscriptions are told to their queues, in order. One process at a time does it for each subscription,
 *  under a lease that outlives a turn; what is in the queue and was not deleted here when the process died is there twice. */
export function openSubscriptionPump(world: SubscriptionPumpWorld): Lookout {
  const { store, queues, watch, onError, pollMs, leaseMs } = world
  const leases = openLeases(store, 'event_subscription', leaseMs)

  async function look(stop: AbortSignal): Promise<boolean> {
    if (!(await store.get(anyWaiting, []))) return false
    let more = false
    for (const row of await store.all(dueSubscriptions, [])) {
      if (await turn(row.id, { accountId: row.account_id, queueId: row.queue_id }, stop)) more = true
    }
    return more
  }

  /** Whether there is more. */
  async function turn(id: string, place: QueuePlace, stop: AbortSignal): Promise<boolean> {
    await using lease = await leases.take(id)
    if (!lease) return false
    for (let batches = 0; batches < BATCHES && !stop.aborted; batches++) {
      const rows = asMany(await store.all(oldest, [id]))
      if (rows.length === 0) return false
      await hand(place, rows)
    }
    return true
  }

  /** What goes into a queue that is gone is gone with it. */
  async function hand(place: QueuePlace, rows: readonly NotificationRow[]): Promise<void> {
    const wishes = rows.map(({ body }) => ({ body: Buffer.from(body), contentType: 'json' as const }))
    const batch = readQueueBatch(wishes)
    if (isQueueFault(batch)) throw new Error(`a notification is none that a queue takes: ${batch.detail}`)
    try {
      await queues.send(place, batch)
    } catch (error) {
      watch.tried('queue', 'failed', rows.length)
      throw error
    }
    watch.tried('queue', 'delivered', rows.length)
    await store.commit([{ statement: forget, params: [JSON.stringify(rows.map(({ seq }) => seq))] }])
  }

  return openLookout({ look, pollMs, onError })
}

interface QueuePlace {
  readonly accountId: string
  readonly queueId: string
}

/** As many as one send takes; one at least. */
function asMany(rows: readonly NotificationRow[]): readonly NotificationRow[] {
  let octets = 0
  const over = rows.findIndex(({ body }) => {
    octets += Buffer.byteLength(body)
    return octets > MOST_OCTETS
  })
  return over === -1 ? rows : rows.slice(0, Math.max(over, 1))
}
