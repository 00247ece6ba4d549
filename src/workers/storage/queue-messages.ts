import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { QueuePlace } from './queue.ts'
import type { QueueBatch } from './queue-batch.ts'

// Times are the database's, so that nodes whose own clocks differ agree on what is due.
const insert = statement(
  'queue-message.insert',
  `insert into queue_message (id, queue_id, due_at, ordinal, lease, retries, content_type, sent_at, expires_at, size, body)
   select $3, id, {now} + 1000 * coalesce(cast($4 as bigint), delivery_delay), cast($8 as integer), null, 0, $5, {now},
     {now} + 1000 * retention, cast($6 as bigint), $7
   from worker_queue where account_id = $1 and id = $2 and deleted_at is null`,
)
const backlog = statement<{
  readonly messages: number
  readonly octets: number | null
  readonly oldest: number | null
}>(
  'queue-message.backlog',
  `select count(*) as messages, sum(size) as octets, min(sent_at) as oldest from queue_message
   where queue_id = (select id from worker_queue where account_id = $1 and id = $2 and deleted_at is null)`,
)
const ROWS = 500
const purge = statement<{ readonly id: string }>(
  'queue-message.purge',
  `delete from queue_message where id in (select m.id from queue_message m
     join worker_queue q on q.id = m.queue_id
     where q.account_id = $1 and q.id = $2 and q.deleted_at is null and m.sent_at <= $3
     order by m.due_at, m.ordinal, m.id limit ${ROWS}) returning id`,
)
const clockOf = statement<{ readonly now: number }>('queue-message.now', 'select {now} as now')

/** Numbers for messages, in the order in which they are sent: what is sent within one millisecond has the same times. */
export interface Ordinals {
  /** The first of so many. */
  take(count: number): number
}

/** The column's (PostgreSQL: integer). */
const LARGEST_ORDINAL = 2_147_483_647

export function openOrdinals(begin = 0): Ordinals {
  let next = begin
  return {
    take(count) {
      // They begin anew for a whole batch, so that its own order holds; what was sent in this very millisecond comes after it.
      const first = next + count > LARGEST_ORDINAL ? 0 : next
      next = first + count
      return first
    },
  }
}

/** All or none; false where the queue is not there. What is sent later comes later. */
export async function insertMessages(
  store: Store,
  { accountId, queueId }: QueuePlace,
  batch: QueueBatch,
  ordinals: Ordinals,
): Promise<boolean> {
  const first = ordinals.take(batch.length)
  const committed = await store.commit(
    batch.map(({ body, contentType, delaySeconds = null }, index) => ({
      statement: insert,
      params: [accountId, queueId, newId(), delaySeconds, contentType, body.length, body, first + index],
      rows: 1,
    })),
  )
  return committed.ok
}

/** What waits in a queue or is in somebody's hands. */
export interface QueueBacklog {
  readonly messages: number
  readonly octets: number
  /** When the oldest was sent, in milliseconds; undefined in an empty queue. */
  readonly oldest: number | undefined
}

export async function readBacklog(store: Store, { accountId, queueId }: QueuePlace): Promise<QueueBacklog> {
  const [row] = await store.all(backlog, [accountId, queueId])
  return { messages: row?.messages ?? 0, octets: row?.octets ?? 0, oldest: row?.oldest ?? undefined }
}

/** Deletes what was sent before, also what a consumer has in its hands. */
export async function purgeMessages(
  store: Store,
  { accountId, queueId }: QueuePlace,
  record: readonly Write[],
): Promise<void> {
  const { now = 0 } = (await store.get(clockOf, [])) ?? {}
  const write = { statement: purge, params: [accountId, queueId, now] }
  let purged = await store.commit([write, ...record])
  while (purged.ok && purged.rows[0]?.length === ROWS) purged = await store.commit([write])
}
