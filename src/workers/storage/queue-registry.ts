import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { QUEUE_COLUMNS, type Queue, type QueuePlace, type QueueRow, queueOf } from './queue.ts'

export interface QueueWish {
  readonly name: string
  readonly deliveryDelay: number
  readonly retention: number
  readonly paused: boolean
}

/** What else is to be in the commit that changes a queue or its consumer. */
export type RecordQueue = (change: { readonly before?: Queue; readonly after?: Queue }) => readonly Write[]

export interface QueuePage {
  /** Absent: all. */
  readonly names?: readonly string[] | undefined
  readonly offset: number
  readonly limit: number
}

/** The queues themselves. */
export interface QueueRegistry {
  queue(place: QueuePlace): Promise<Queue | undefined>
  queueNamed(accountId: string, name: string): Promise<Queue | undefined>
  /** By name. `total`: how many there are on all pages. */
  listQueues(
    accountId: string,
    page: QueuePage,
  ): Promise<{ readonly queues: readonly Queue[]; readonly total: number }>
  createQueue(
    accountId: string,
    wish: QueueWish,
    record: RecordQueue,
  ): Promise<Queue | 'name-taken' | 'too-many'>
  /** A queue keeps its name: producers and dead letters know it by that. */
  changeQueue(
    place: QueuePlace,
    wish: Partial<Omit<QueueWish, 'name'>>,
    record: RecordQueue,
  ): Promise<Queue | undefined>
  /** It is gone at once, with its consumer and its messages. */
  removeQueue(place: QueuePlace, record: RecordQueue): Promise<Queue | undefined>
}

export const QUEUES_PER_ACCOUNT = 10_000
export const RETENTION_S = 345_600
// Each lost race means that somebody else made progress.
const RACES = 10

const SELECT = `select ${QUEUE_COLUMNS} from worker_queue q left join queue_consumer c on c.queue_id = q.id`
const LIVING = 'account_id = $1 and deleted_at is null'

const byId = statement<QueueRow>(
  'worker-queue.by-id',
  `${SELECT} where q.account_id = $1 and q.deleted_at is null and q.id = $2`,
)
const byName = statement<QueueRow>(
  'worker-queue.by-name',
  `${SELECT} where q.account_id = $1 and q.deleted_at is null and q.name = $2`,
)
const NAMED = {
  sqlite: '($2 = 0 or name in (select value from json_each($3)))',
  postgres: '(cast($2 as integer) = 0 or name = any (array(select json_array_elements_text($3::json))))',
} as const
const both = (sql: (named: string) => string) => ({
  sqlite: sql(NAMED.sqlite),
  postgres: sql(NAMED.postgres),
})
const count = statement<{ readonly queues: number }>(
  'worker-queue.count',
  both((named) => `select count(*) as queues from worker_queue where ${LIVING} and ${named}`),
)
const page = statement<QueueRow>(
  'worker-queue.page',
  both(
    (named) =>
      `${SELECT} where q.account_id = $1 and q.deleted_at is null and ${named}
       order by q.name limit $4 offset $5`,
  ),
)
const insert = statement(
  'worker-queue.insert',
  `insert into worker_queue (id, account_id, name, delivery_delay, retention, paused, created_at, modified_at)
   select $2, $1, $3, cast($4 as bigint), cast($5 as bigint), cast($6 as integer), cast($7 as bigint), cast($7 as bigint)
   where (select count(*) from worker_queue where ${LIVING}) < ${QUEUES_PER_ACCOUNT}
   on conflict (account_id, name) where deleted_at is null do nothing`,
)
const update = statement(
  'worker-queue.update',
  `update worker_queue set delivery_delay = $4, retention = $5, paused = $6, modified_at = $7
   where ${LIVING} and id = $2 and modified_at = $3`,
)
const markDeleted = statement(
  'worker-queue.delete',
  `update worker_queue set deleted_at = $3 where ${LIVING} and id = $2`,
)
const deleteConsumerOf = statement(
  'worker-queue.delete-consumer',
  'delete from queue_consumer where account_id = $1 and queue_id = $2',
)

/** The write that makes a queue, for the commit of whatever needs it, and the queue as it will be. */
export function queueCreation(
  accountId: string,
  wish: QueueWish,
  at: number,
): { readonly queue: Queue; readonly write: Write } {
  const id = newId()
  const { name, deliveryDelay, retention, paused } = wish
  const params = [accountId, id, name, deliveryDelay, retention, paused ? 1 : 0, at]
  const queue = { id, accountId, ...wish, createdAt: at, modifiedAt: at, consumer: undefined }
  return { queue, write: { statement: insert, params, rows: 1 } }
}

export function openQueueRegistry(store: Store, clock: () => number): QueueRegistry {
  const queue = async ({ accountId, queueId }: QueuePlace) => {
    const row = await store.get(byId, [accountId, queueId])
    return row && queueOf(row)
  }
  const queueNamed = async (accountId: string, name: string) => {
    const row = await store.get(byName, [accountId, name])
    return row && queueOf(row)
  }
  return {
    queue,
    queueNamed,

    async listQueues(accountId, { names, offset, limit }) {
      const filter = [accountId, names ? 1 : 0, JSON.stringify(names ?? [])]
      const [counted] = await store.all(count, filter)
      const total = counted?.queues ?? 0
      // An offset is a stranger's number, and may be beyond what an engine counts.
      if (offset >= total) return { queues: [], total }
      return { queues: (await store.all(page, [...filter, limit, offset])).map(queueOf), total }
    },

    async createQueue(accountId, wish, record) {
      const { queue: after, write } = queueCreation(accountId, wish, clock())
      const committed = await store.commit([write, ...record({ after })])
      if (committed.ok) return after
      return (await queueNamed(accountId, wish.name)) ? 'name-taken' : 'too-many'
    },

    async changeQueue(place, wish, record) {
      for (let race = 0; race < RACES; race++) {
        const before = await queue(place)
        if (!before) return undefined
        const after = { ...before, ...wish, modifiedAt: Math.max(clock(), before.modifiedAt + 1) }
        const { deliveryDelay, retention, paused, modifiedAt } = after
        const values = [before.modifiedAt, deliveryDelay, retention, paused ? 1 : 0, modifiedAt]
        const write = { statement: update, params: [place.accountId, place.queueId, ...values], rows: 1 }
        if ((await store.commit([write, ...record({ before, after })])).ok) return after
      }
      throw new Error(`changing queue ${place.queueId} lost ${RACES} races in a row`)
    },

    async removeQueue(place, record) {
      const before = await queue(place)
      if (!before) return undefined
      const key = [place.accountId, place.queueId]
      const committed = await store.commit([
        { statement: markDeleted, params: [...key, clock()], rows: 1 },
        { statement: deleteConsumerOf, params: key },
        ...record({ before }),
      ])
      return committed.ok ? before : undefined
    },
  }
}
