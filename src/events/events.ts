import type { DomainEvent, MailEvent } from '#model/event.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'

/** Events: the append-only record of everything that happened to mail. In: the rooms that change a state. Out: all
 *  that tells of it (log, analytics, webhooks). Promise: an event is written in the commit that makes it true, so
 *  neither can exist without the other; a delivery has at most one terminal event: its state moves once, and an index
 *  watches over it here. This is an outbox: from here the projector (`analytics/projector.ts`) takes events to history,
 *  and who reads one after that asks both (`read-timeline.ts`). */
export function eventWrite(event: MailEvent | DomainEvent): Write {
  return {
    statement: appendEvent,
    params: [
      newId(),
      event.at,
      event.accountId,
      event.domainId,
      event.messageId,
      event.deliveryId,
      event.type,
      event.terminal ? 1 : 0,
      JSON.stringify(event.detail),
    ],
    rows: 1,
  }
}

const appendEvent = statement(
  'event.append',
  `insert into event (id, at, account_id, domain_id, message_id, delivery_id, type, terminal, detail)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
)

export interface EventRow {
  readonly seq: number
  readonly id: string
  readonly at: number
  readonly delivery_id: string | null
  readonly type: string
  readonly terminal: number
  readonly detail: string
}

/** A page of a timeline: of one message of one account, or, where `deliveryId` says so, what concerns that delivery of
 *  it. */
export interface TimelinePage {
  readonly accountId: string
  readonly messageId: string
  readonly deliveryId?: string
  /** `seq` of the last event of the page before. */
  readonly after?: number
  readonly limit: number
}

/** Oldest first. A message to many that was tried for days has events by the thousand, each with its dialogue. */
export function timelinePage(store: Store, page: TimelinePage): Promise<EventRow[]> {
  const { accountId, messageId, deliveryId = null, after = 0, limit } = page
  return store.all(timeline, [accountId, messageId, deliveryId, after, limit])
}

const timeline = statement<EventRow>(
  'event.timeline',
  `select seq, id, at, delivery_id, type, terminal, detail from event
    where account_id = $1 and message_id = $2 and seq > $4
      and (cast($3 as text) is null or delivery_id is null or delivery_id = $3)
    order by seq limit $5`,
)

/** All of it. */
export function eventsOfMessage(store: Store, accountId: string, messageId: string): Promise<EventRow[]> {
  return store.all(messageEvents, [accountId, messageId])
}

const messageEvents = statement<EventRow>(
  'event.of-message',
  `select seq, id, at, delivery_id, type, terminal, detail from event
    where account_id = $1 and message_id = $2 order by seq`,
)
