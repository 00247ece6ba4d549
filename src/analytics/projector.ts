/** The projector: the one way of events out of the outbox. In: what the rooms appended. Out: history, and the writes of
 *  whoever is told of events. Promise: of each event both happen, once, in the order of its message, whenever the process
 *  dies; on several nodes one at a time does it.
 *
 *  A batch goes into history first, which passes over what it has, and then leaves the outbox in one commit with what
 *  notifies of it: a crash in between repeats the first step alone. What is taken is always the oldest there is, and
 *  only what was taken is deleted: on PostgreSQL an event may become visible after one with a higher `seq`.
 *
 *  What no event should hold, but one does, stops nobody else's: batches become smaller until it is alone, and then as
 *  much of it happens as can. That it happened is in its timeline in any case, and the log names it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainEvent, EventDetail, EventType } from '#model/event.ts'
import type { Log } from '#observe/log.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { isAboutContent } from './about-content.ts'
import type { History } from './history.ts'
import type { OriginDomain, OutboxEvent } from './outbox-event.ts'

export interface ProjectorOptions {
  readonly store: Store
  readonly history: Pick<History, 'take'>
  /** What becomes of a batch besides history, in the commit that takes it out of the outbox. Called again with the same
   *  events where that commit did not happen. */
  readonly notificationsFor: (events: readonly OutboxEvent[]) => Promise<readonly Write[]>
  readonly log: Log
  /** Told after that commit, so that whoever waits for notifications looks. */
  readonly onProjected?: (events: readonly OutboxEvent[]) => void
  /** Who this process is, for the lease of PostgreSQL; any text that no other process has. */
  readonly node: string
  /** Events at a time. */
  readonly batch?: number
  /** How often an empty outbox is looked at, in ms. */
  readonly idleMs?: number
}

export interface Projector {
  /** Resolves when everything that was in the outbox when it was called is out of it, by this process or another. */
  caughtUp(): Promise<void>
  /** Ends after the batch at hand. */
  close(): Promise<void>
}

const BATCH = 1000
const IDLE_MS = 250
/** Who holds the lease commits far more often; after so long without one it is taken for dead (promise 3). */
const LEASE_MS = 15_000
const OTHER_NODE_MS = 2000
const MOST_PATIENCE_MS = 30_000

export function openProjector(options: ProjectorOptions): Projector {
  const { store, log, batch = BATCH, idleMs = IDLE_MS } = options
  const ending = new AbortController()
  let size = batch
  const running = run()

  async function run(): Promise<void> {
    let patience = idleMs
    while (!ending.signal.aborted) {
      const outcome = await attempt()
      if (outcome === 'failed') patience = Math.min(patience * 2, MOST_PATIENCE_MS)
      else patience = idleMs
      if (outcome !== 'more') await rest(outcome === 'not-ours' ? OTHER_NODE_MS : patience)
    }
  }

  async function attempt() {
    try {
      const outcome = await (size > 1 ? projectBatch(options, size) : projectOne(options))
      size = Math.min(batch, size * 2)
      return outcome
    } catch (error) {
      if (!ending.signal.aborted) log.error({ err: error }, 'projector: a batch failed, it is tried again')
      if (size === 1 || !isAboutContent(error)) return 'failed'
      size = Math.floor(size / 2)
      return 'more'
    }
  }

  /** Until it is time to look again, or to end. */
  async function rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: ending.signal }).catch(() => {})
  }

  return {
    async caughtUp() {
      const newest = (await store.get(newestEvent, []))?.seq ?? 0
      while (!ending.signal.aborted) {
        const oldest = await store.get(oldestEvent, [])
        if (oldest === undefined || oldest.seq > newest) return
        await rest(Math.min(idleMs, 20))
      }
    },
    async close() {
      ending.abort()
      await running
    },
  }
}

type Outcome = 'more' | 'none' | 'not-ours'

/** `more`: there may be more at once. `not-ours`: another node does it. */
async function projectBatch(options: ProjectorOptions, batch: number): Promise<Outcome> {
  const events = (await oldestRows(options, batch)).map(readOutboxRow)
  if (events.length === 0) return 'none'
  const lease = leaseWrites(options)
  if (!(await options.history.take(events, lease))) return 'not-ours'
  const isOurs = await leaveOutbox(options, { events, writes: await options.notificationsFor(events), lease })
  if (!isOurs) return 'not-ours'
  options.onProjected?.(events)
  return events.length < batch ? 'none' : 'more'
}

/** The same for the oldest alone, which may be one that nobody can read, keep or tell: then what is left without that. */
async function projectOne(options: ProjectorOptions): Promise<Outcome> {
  const { history, notificationsFor, onProjected, log } = options
  const [row] = await oldestRows(options, 1)
  if (!row) return 'none'
  const { id: event, account_id: account, message_id: message } = row
  const orElse = async <T>(what: string, work: () => T | Promise<T>, otherwise: () => T | Promise<T>) => {
    try {
      return await work()
    } catch (error) {
      if (!isAboutContent(error)) throw error
      // Not the error itself: it may quote what was written.
      log.error({ event, account, message, type: row.type }, `projector: an event cannot be ${what}`)
      return otherwise()
    }
  }
  const lease = leaseWrites(options)
  const empty = readOutboxRow({ ...row, detail: '{}' })
  const whole = await orElse<OutboxEvent | undefined>(
    'read, so its timeline does not tell what it said',
    () => readOutboxRow(row),
    () => undefined,
  )
  const isTaken = await orElse(
    'kept, so history has only that it happened',
    () => history.take([whole ?? empty], lease),
    () => history.take([empty], lease),
  )
  if (!isTaken) return 'not-ours'
  const leave = (writes: readonly Write[]) => leaveOutbox(options, { events: [empty], writes, lease })
  const isOurs = await orElse(
    'told to anybody',
    async () => leave(whole ? await notificationsFor([whole]) : []),
    () => leave([]),
  )
  if (!isOurs) return 'not-ours'
  onProjected?.([whole ?? empty])
  return 'more'
}

async function oldestRows({ store }: ProjectorOptions, batch: number): Promise<readonly OutboxRow[]> {
  // An index answers whether there is anything at all; the batch is read where scans are.
  return (await store.get(oldestEvent, [])) === undefined ? [] : store.all(oldestBatch, [batch])
}

/** In one commit with what is to be told of them. False: another node does it. */
async function leaveOutbox(
  { store }: ProjectorOptions,
  batch: {
    readonly events: readonly OutboxEvent[]
    readonly writes: readonly Write[]
    readonly lease: readonly Write[]
  },
): Promise<boolean> {
  const { events, writes, lease } = batch
  const seqs = JSON.stringify(events.map(({ seq }) => seq))
  const result = await store.commit([
    ...lease,
    { statement: deleteBatch, params: [seqs], rows: events.length },
    ...writes,
  ])
  if (result.ok) return true
  if (result.conflict === holdLease.name) return false
  throw new Error(`the commit that ends a batch met a conflict: ${result.conflict}`)
}

/** What holds in a commit only while this node has the lease, or nobody has. On SQLite there is one process. */
function leaseWrites({ store, node }: ProjectorOptions): readonly Write[] {
  return store.engine === 'postgres' ? [{ statement: holdLease, params: [node], rows: 1 }] : []
}

const holdLease = statement(
  'projector.lease',
  `insert into projector_lease (name, node, until_at) values ('history', $1, {now} + ${LEASE_MS})
    on conflict (name) do update set node = excluded.node, until_at = excluded.until_at
    where projector_lease.node = excluded.node or projector_lease.until_at < {now}`,
)

interface OutboxRow {
  readonly seq: number
  readonly id: string
  readonly at: number
  readonly account_id: string
  readonly message_id: string | null
  readonly delivery_id: string | null
  readonly type: EventType | DomainEvent['type']
  readonly terminal: number
  readonly detail: string
  readonly domain_id: string | null
  readonly domain_name: string | null
  readonly zone_id: string | null
  readonly check_status: string | null
  readonly check_problems: string | null
}

const oldestBatch = statement<OutboxRow>(
  'projector.oldest-batch',
  `select e.seq, e.id, e.at, e.account_id, e.message_id, e.delivery_id, e.type, e.terminal, e.detail,
      d.id as domain_id, d.name as domain_name, d.zone_id, c.status as check_status, c.problems as check_problems
    from (select * from event order by seq limit $1) e
      left join domain d on d.id = e.domain_id
      left join dns_check c on c.domain_id = d.id and c.mail = 'sending'
    order by e.seq`,
)

const oldestEvent = statement<{ readonly seq: number }>(
  'projector.oldest',
  'select seq from event order by seq limit 1',
)
const newestEvent = statement<{ readonly seq: number }>(
  'projector.newest',
  'select seq from event order by seq desc limit 1',
)

const deleteBatch = statement('projector.delete-batch', {
  sqlite: 'delete from event where seq in (select value from json_each($1))',
  postgres:
    'delete from event where seq in (select value::bigint from jsonb_array_elements_text($1::jsonb) as taken (value))',
})

function readOutboxRow(row: OutboxRow): OutboxEvent {
  return {
    ...{ seq: row.seq, id: row.id, at: row.at, accountId: row.account_id },
    ...{ messageId: row.message_id, deliveryId: row.delivery_id, terminal: row.terminal === 1 },
    domain: originOf(row),
    detailJson: row.detail,
    type: row.type,
    // The events room wrote it as such; which of the two it is, the type says.
    detail: JSON.parse(row.detail) as EventDetail & DomainEvent['detail'],
  }
}

function originOf(row: OutboxRow): OriginDomain | undefined {
  if (row.domain_id === null || row.domain_name === null || row.zone_id === null) return undefined
  const { check_status: status, check_problems: problems } = row
  return {
    ...{ id: row.domain_id, name: row.domain_name, zoneId: row.zone_id },
    check:
      status === null ? undefined : { status, problems: JSON.parse(problems ?? '[]') as readonly string[] },
  }
}
