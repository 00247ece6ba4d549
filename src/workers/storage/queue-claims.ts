import { randomUUID } from 'node:crypto'
import { type Store, statement, type Write } from '#store/store.ts'
import { QUEUE_COLUMNS, type Queue, type QueueConsumer, type QueueRow, queueOf } from './queue.ts'
import type { QueueContentType } from './queue-batch.ts'

/** What one consumer has in its hands until it settles it, or its lease ends. */
export interface ClaimedBatch {
  readonly lease: string
  /** Those that waited longest first. */
  readonly messages: readonly ClaimedMessage[]
}

export interface ClaimedMessage {
  readonly id: string
  readonly body: Buffer
  readonly contentType: QueueContentType
  /** This one included: 1 at first. A lease that ended by itself counts as none. */
  readonly attempts: number
  /** Milliseconds. */
  readonly sentAt: number
}

export interface BatchWish {
  readonly size: number
  /** A batch that is not full yet is claimed once its first message waits that long. */
  readonly waitMs: number
  readonly leaseMs: number
}

/** What became of the messages of a batch. One that is in neither list stays claimed. */
export interface Settlement {
  readonly acked: readonly string[]
  readonly retried: readonly { readonly id: string; readonly delaySeconds: number }[]
}

const dueQueues = statement<QueueRow>(
  'queue-claim.due',
  `select ${QUEUE_COLUMNS} from queue_consumer c join worker_queue q on q.id = c.queue_id
   where q.deleted_at is null and q.paused = 0
     and exists (select 1 from queue_message m where m.queue_id = q.id and m.due_at <= {now})`,
)

const DUE = 'queue_id = $1 and due_at <= {now}'
const CHOSEN = `select id from queue_message where ${DUE} and expires_at > {now} order by due_at, ordinal, id limit $2`
const READY = `((select count(*) from (select 1 from queue_message where ${DUE} limit $2) as due) >= $2
  or exists (select 1 from queue_message where queue_id = $1 and due_at <= {now} - $3))`
const TAKE = 'update queue_message set lease = $4, due_at = {now} + $5'
const RETURNING = 'returning id, content_type, body, retries, sent_at, ordinal'

interface MessageRow {
  readonly id: string
  readonly content_type: QueueContentType
  readonly body: Uint8Array
  readonly retries: number
  readonly sent_at: number
  readonly ordinal: number
}

// On PostgreSQL the choice is materialized: the planner might otherwise run it again for each row it compares.
const claim = statement<MessageRow>('queue-claim.take', {
  sqlite: `${TAKE} where id in (${CHOSEN}) and ${READY} ${RETURNING}`,
  postgres: `with chosen as materialized (${CHOSEN.replaceAll('$2', 'cast($2 as bigint)')} for update skip locked)
    ${TAKE} where id in (select id from chosen) and ${READY.replaceAll('$2', 'cast($2 as bigint)')} ${RETURNING}`,
})

const IDS = {
  sqlite: 'id in (select value from json_each($2))',
  postgres: 'id = any (array(select json_array_elements_text($2::json)))',
} as const
const both = (sql: (ids: string) => string) => ({ sqlite: sql(IDS.sqlite), postgres: sql(IDS.postgres) })

const ack = statement(
  'queue-claim.ack',
  both((ids) => `delete from queue_message where lease = $1 and ${ids}`),
)
const retry = statement(
  'queue-claim.retry',
  both(
    (ids) => `update queue_message set lease = null, retries = retries + 1, due_at = {now} + $4
      where lease = $1 and ${ids} and retries < $3`,
  ),
)
const bury = statement<{ readonly id: string }>(
  'queue-claim.bury',
  both(
    (ids) => `update queue_message set queue_id = $4, lease = null, retries = 0, due_at = {now},
        expires_at = {now} + 1000 * (select retention from worker_queue where id = $4)
      where lease = $1 and ${ids} and retries >= $3 returning id`,
  ),
)
const drop = statement<{ readonly id: string }>(
  'queue-claim.drop',
  both((ids) => `delete from queue_message where lease = $1 and ${ids} and retries >= $3 returning id`),
)
const extend = statement('queue-claim.renew', 'update queue_message set due_at = {now} + $2 where lease = $1')
const giveBack = statement(
  'queue-claim.release',
  'update queue_message set lease = null, due_at = {now} + $2 where lease = $1',
)
const giveAllBack = statement(
  'queue-claim.void',
  'update queue_message set lease = null, due_at = {now} where lease is not null',
)

/** Queues that have a consumer and something for it. */
export async function readDueQueues(store: Store): Promise<readonly Queue[]> {
  return (await store.all(dueQueues, [])).map(queueOf)
}

/** Undefined while there is nothing, or not enough for long enough. */
export async function claimMessages(
  store: Store,
  queueId: string,
  { size, waitMs, leaseMs }: BatchWish,
): Promise<ClaimedBatch | undefined> {
  const lease = randomUUID()
  const result = await store.commit([{ statement: claim, params: [queueId, size, waitMs, lease, leaseMs] }])
  if (!result.ok) throw new Error(`a claim conflicted in ${result.conflict}`)
  // Rows arrive in the shape that `returning` names, and in any order.
  const rows = (result.rows[0] as readonly MessageRow[]).toSorted(
    (a, b) => a.sent_at - b.sent_at || a.ordinal - b.ordinal,
  )
  if (rows.length === 0) return undefined
  const messages = rows.map((row) => ({
    id: row.id,
    body: Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength),
    contentType: row.content_type,
    attempts: row.retries + 1,
    sentAt: row.sent_at,
  }))
  return { lease, messages }
}

/** Out: the ids of those that failed too often. They are in the dead letter queue, or, where there is none, gone. */
export async function settleMessages(
  store: Store,
  lease: string,
  { acked, retried }: Settlement,
  {
    maxRetries,
    deadLetterQueueId,
  }: { readonly maxRetries: number; readonly deadLetterQueueId: string | null },
): Promise<readonly string[]> {
  const set: Write[] = []
  if (acked.length > 0) set.push({ statement: ack, params: [lease, JSON.stringify(acked)] })
  for (const [delaySeconds, messages] of Map.groupBy(retried, (each) => each.delaySeconds)) {
    const ids = JSON.stringify(messages.map(({ id }) => id))
    set.push({ statement: retry, params: [lease, ids, maxRetries, delaySeconds * 1000] })
  }
  // What may be tried again is free by now: the lease names only those that may not.
  const ids = JSON.stringify(retried.map(({ id }) => id))
  const failed: Write =
    deadLetterQueueId === null
      ? { statement: drop, params: [lease, ids, maxRetries] }
      : { statement: bury, params: [lease, ids, maxRetries, deadLetterQueueId] }
  if (retried.length > 0) set.push(failed)
  if (set.length === 0) return []
  const result = await store.commit(set)
  if (!result.ok) throw new Error(`a settlement conflicted in ${result.conflict}`)
  if (retried.length === 0) return []
  return ((result.rows.at(-1) ?? []) as readonly { readonly id: string }[]).map(({ id }) => id)
}

export async function renewLease(store: Store, lease: string, leaseMs: number): Promise<void> {
  await store.commit([{ statement: extend, params: [lease, leaseMs] }])
}

export async function releaseLease(store: Store, lease: string, dueInMs: number): Promise<void> {
  await store.commit([{ statement: giveBack, params: [lease, dueInMs] }])
}

/** For the start of the only process that a store has: whoever claimed before is gone (promise 3). */
export async function voidLeases(store: Store): Promise<void> {
  await store.commit([{ statement: giveAllBack, params: [] }])
}

export type SettledBy = Pick<QueueConsumer, 'maxRetries' | 'deadLetterQueue'>
