import type { Address } from '#model/address.ts'
import type { DeliveryState } from '#model/delivery.ts'
import type { Cause } from '#model/event.ts'
import { type Param, type Statement, type Store, statement } from '#store/store.ts'
import { type Selection, selectionParts } from './selection.ts'

/** A delivery as people look at it. Times in ms. */
export interface DeliveryView {
  readonly id: string
  readonly messageId: string
  /** The Message-ID header, angle brackets included. */
  readonly headerMessageId: string
  readonly accountId: string
  readonly sender: Address | ''
  readonly subject: string
  readonly recipient: Address
  readonly state: DeliveryState
  readonly attempts: number
  /** Of one that waits: its own time, or its lane's where that backs off. */
  readonly nextAttemptAt: number | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly settledAt: number | null
  readonly lastReply: string | null
  readonly lastCause: Cause | null
}

/** Where a page of the queue begins: behind this one. */
export interface QueuePosition {
  readonly expiresAt: number
  readonly id: string
}

/** What is in the queue and selected, what expires first coming first. */
export async function listDeliveries(
  store: Store,
  { selection, limit, after }: { selection: Selection; limit: number; after?: QueuePosition | undefined },
): Promise<readonly DeliveryView[]> {
  const { statement, params } = pageOfQueue(selection, [limit, after?.expiresAt ?? 0, after?.id ?? ''])
  return (await store.all(statement, params)).map(viewOf)
}

/** One of any state. */
export async function deliveryById(store: Store, id: string): Promise<DeliveryView | undefined> {
  const row = await store.get(byId, [id])
  return row && viewOf(row)
}

/** All of one message, in the order of their ids. */
export async function deliveriesOfMessage(store: Store, messageId: string): Promise<readonly DeliveryView[]> {
  return (await store.all(ofMessage, [messageId])).map(viewOf)
}

export interface DeliveryViewRow {
  readonly id: string
  readonly message_id: string
  readonly header_message_id: string
  readonly account_id: string
  readonly sender: Address | ''
  readonly subject: string
  readonly recipient: Address
  readonly state: DeliveryState
  readonly attempts: number
  readonly due_at: number
  readonly expires_at: number
  readonly created_at: number
  readonly settled_at: number | null
  readonly last_reply: string | null
  readonly last_cause: Cause | null
  readonly lane_due_at: number | null
  readonly lane_failures: number | null
}

export const VIEW_COLUMNS = `d.id, d.message_id, m.header_message_id, d.account_id, m.sender, m.subject, d.recipient,
  d.state, d.attempts, d.due_at, d.expires_at, d.created_at, d.settled_at, d.last_reply, d.last_cause,
  l.due_at as lane_due_at, l.failures as lane_failures`

export const VIEW_JOINS = `join message m on m.id = d.message_id
  left join lane l on d.state = 'waiting' and l.account_id = d.account_id and l.recipient_domain = d.recipient_domain`

export function viewOf(row: DeliveryViewRow): DeliveryView {
  const laneRests = (row.lane_failures ?? 0) > 0
  const due = laneRests ? Math.max(row.due_at, row.lane_due_at ?? 0) : row.due_at
  return {
    id: row.id,
    messageId: row.message_id,
    headerMessageId: row.header_message_id,
    accountId: row.account_id,
    sender: row.sender,
    subject: row.subject,
    recipient: row.recipient,
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: row.state === 'waiting' ? due : null,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    settledAt: row.settled_at,
    lastReply: row.last_reply,
    lastCause: row.last_cause,
  }
}

const byId = statement<DeliveryViewRow>(
  'queue.view-by-id',
  `select ${VIEW_COLUMNS} from delivery d ${VIEW_JOINS} where d.id = $1`,
)
const ofMessage = statement<DeliveryViewRow>(
  'queue.views-of-message',
  `select ${VIEW_COLUMNS} from delivery d ${VIEW_JOINS} where d.message_id = $1 order by d.id`,
)

const pages = new Map<string, Statement<DeliveryViewRow>>()

/** $1 limit, $2 and $3 the place; then the selection. */
function pageOfQueue(selection: Selection, own: readonly Param[]) {
  const parts = selectionParts(selection)
  const name = ['queue.page', ...parts.map((part) => part.name)].join(' ')
  let page = pages.get(name)
  if (!page) {
    // The first condition is the index's own, word for word: only so SQLite sees that the index has all of them.
    const text = (engine: 'sqlite' | 'postgres') =>
      `select ${VIEW_COLUMNS} from delivery d ${VIEW_JOINS}
        where ${[
          `d.state in ('waiting', 'claimed', 'held')`,
          'd.expires_at >= $2 and (d.expires_at, d.id) > ($2, $3)',
          ...parts.map((part, i) => part[engine](`$${own.length + i + 1}`)),
        ].join(' and ')}
        order by d.expires_at, d.id limit $1`
    page = statement<DeliveryViewRow>(name, { sqlite: text('sqlite'), postgres: text('postgres') })
    pages.set(name, page)
  }
  return { statement: page, params: [...own, ...parts.map(({ value }) => value)] }
}
