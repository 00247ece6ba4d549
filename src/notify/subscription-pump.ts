import { randomUUID } from 'node:crypto'
import { type Store, statement } from '#store/store.ts'
import { isQueueFault, readQueueBatch } from '#workers/storage/queue-batch.ts'
import type { Queues } from '#workers/storage/queues.ts'
import { due } from './due-sql.ts'

export interface SubscriptionPump {
  /** There may be something to do. */
  wake(): void
  /** Waits for the batch at hand. */
  close(): Promise<void>
}

export interface SubscriptionPumpWorld {
  readonly store: Store
  readonly queues: Pick<Queues, 'send'>
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
// From one subscription to the next by the index, however much waits for each.
const NEXT = 'select min(subscription_id) from queue_notification'
const dueSubscriptions = statement<{
  readonly id: string
  readonly account_id: string
  readonly queue_id: string
}>(
  'event-subscription.due',
  `with recursive waiting (id) as (
     select (${NEXT})
     union all
     select (${NEXT} where subscription_id > waiting.id) from waiting where waiting.id is not null)
   select s.id, s.account_id, s.queue_id from waiting join event_subscription s on s.id = waiting.id
   where ${due('s.leased_until')}`,
)
const take = statement(
  'event-subscription.take',
  `update event_subscription set lease = $2, leased_until = {now} + $3 where id = $1 and ${due('leased_until')}`,
)
const giveBack = statement(
  'event-subscription.give-back',
  'update event_subscription set lease = null, leased_until = 0 where id = $1 and lease = $2',
)
const giveAllBack = statement(
  'event-subscription.void-leases',
  'update event_subscription set lease = null, leased_until = 0 where lease is not null',
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

export async function voidSubscriptionLeases(store: Store): Promise<void> {
  await store.commit([{ statement: giveAllBack, params: [] }])
}

/** Hands what subscriptions are told to their queues, in order. One process at a time does it for each subscription,
 *  under a lease that outlives a turn; what is in the queue and was not deleted here when the process died is there twice. */
export function openSubscriptionPump(world: SubscriptionPumpWorld): SubscriptionPump {
  const { store, queues, onError, pollMs, leaseMs } = world
  const stop = new AbortController()
  let looking: Promise<void> | undefined
  let again = false

  /** Looks once more when it is called while it looks. */
  function look(): void {
    again = true
    looking ??= (async () => {
      while (again && !stop.signal.aborted) {
        again = false
        if (!(await store.get(anyWaiting, []))) continue
        for (const row of await store.all(dueSubscriptions, [])) {
          if (await turn(row.id, { accountId: row.account_id, queueId: row.queue_id })) again = true
        }
      }
    })()
      .catch(onError)
      .finally(() => {
        looking = undefined
      })
  }

  /** Whether there is more. */
  async function turn(id: string, place: { accountId: string; queueId: string }): Promise<boolean> {
    const lease = randomUUID()
    const taken = await store.commit([{ statement: take, params: [id, lease, leaseMs], rows: 1 }])
    if (!taken.ok) return false
    try {
      for (let batches = 0; batches < BATCHES && !stop.signal.aborted; batches++) {
        const rows = asMany(await store.all(oldest, [id]))
        if (rows.length === 0) return false
        await hand(place, rows)
      }
      return true
    } finally {
      await store.commit([{ statement: giveBack, params: [id, lease] }])
    }
  }

  /** What goes into a queue that is gone is gone with it. */
  async function hand(
    place: { accountId: string; queueId: string },
    rows: readonly NotificationRow[],
  ): Promise<void> {
    const wishes = rows.map(({ body }) => ({ body: Buffer.from(body), contentType: 'json' as const }))
    const batch = readQueueBatch(wishes)
    if (isQueueFault(batch)) throw new Error(`a notification is none that a queue takes: ${batch.detail}`)
    await queues.send(place, batch)
    await store.commit([{ statement: forget, params: [JSON.stringify(rows.map(({ seq }) => seq))] }])
  }

  const poll = setInterval(look, pollMs)
  look()
  return {
    wake: look,
    async close() {
      stop.abort()
      clearInterval(poll)
      await looking
    },
  }
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
