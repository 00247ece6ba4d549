import { type Store, statement } from '#store/store.ts'
import { SWEPT_ROWS, sweepInTurns } from './sweep-in-turns.ts'

/** A send that began before its queue went is over by then. */
const REST_MS = 60_000
/** No honest time is further ahead: it was written before the clock stepped back (promise 3). */
const AHEAD_MS = 2 * 86_400_000

// What a consumer has in its hands stays until its lease ends.
const deleteExpired = statement<{ readonly id: string }>(
  'queue-message.sweep-expired',
  `delete from queue_message where id in (select id from queue_message
     where expires_at <= {now} and (lease is null or due_at <= {now}) limit ${SWEPT_ROWS}) returning id`,
)
const removedQueues = statement<{ readonly id: string }>(
  'worker-queue.sweep-find',
  'select id from worker_queue where deleted_at <= $1 order by deleted_at limit 10',
)
const deleteMessages = statement<{ readonly id: string }>(
  'queue-message.sweep-queue',
  `delete from queue_message where id in
     (select id from queue_message where queue_id = $1 limit ${SWEPT_ROWS}) returning id`,
)
const deleteQueue = statement(
  'worker-queue.sweep',
  `delete from worker_queue where id = $1 and deleted_at is not null
     and not exists (select 1 from queue_message where queue_id = $1)`,
)
const pull = statement(
  'queue-message.pull',
  `update queue_message set due_at = {now} where id in (select m.id from worker_queue q
     join queue_message m on m.queue_id = q.id and m.due_at > {now} + ${AHEAD_MS} limit ${SWEPT_ROWS})`,
)

export async function sweepQueues(store: Store, now: number): Promise<void> {
  const emptied = sweepInTurns(store)
  await emptied({ statement: deleteExpired, params: [] })
  await store.commit([{ statement: pull, params: [] }])
  for (const { id } of await store.all(removedQueues, [now - REST_MS])) {
    if (!(await emptied({ statement: deleteMessages, params: [id] }))) break
    await store.commit([{ statement: deleteQueue, params: [id] }])
  }
}
