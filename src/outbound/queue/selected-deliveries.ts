import type { Address } from '#model/address.ts'
import type { Cause, EventDetail, EventType, MailEvent } from '#model/event.ts'
import type { Store } from '#store/store.ts'
import { type QueueState, type Selection, selecting } from './selection.ts'

/** What an operator's word about a delivery needs to know of it. */
export interface SelectedDelivery {
  readonly id: string
  readonly message_id: string
  readonly account_id: string
  readonly recipient: Address
  readonly recipient_domain: string
  readonly attempts: number
  readonly last_reply: string | null
  readonly last_cause: Cause | null
  readonly domain_id: string | null
  readonly sender: Address | ''
  readonly subject: string
  readonly body_id: string
  readonly preview_enabled: number
}

/** Some of the selected deliveries in that state, in no order that means anything. */
export function selectedDeliveries(
  store: Store,
  selection: Selection,
  state: QueueState,
  limit: number,
): Promise<SelectedDelivery[]> {
  const { statement, params } = selecting<SelectedDelivery>(
    'queue.selected',
    { selection, state },
    [limit],
    (condition) =>
      `select d.id, d.message_id, d.account_id, d.recipient, d.recipient_domain, d.attempts, d.last_reply,
         d.last_cause, m.domain_id, m.sender, m.subject, m.body_id, m.preview_enabled
       from delivery d join message m on m.id = d.message_id where ${condition} limit $1`,
  )
  return store.all(statement, params)
}

/** How many of the selection are in each state now. */
export async function countSelected(
  store: Store,
  selection: Selection,
): Promise<Readonly<Record<QueueState, number>>> {
  const [waiting = 0, claimed = 0, held = 0] = await Promise.all(
    (['waiting', 'claimed', 'held'] as const).map(async (state) => {
      if (selection.state !== undefined && selection.state !== state) return 0
      const { statement, params } = selecting<{ n: number }>(
        'queue.count-selected',
        { selection, state },
        [],
        (condition) => `select count(*) as n from delivery d where ${condition}`,
      )
      const [row] = await store.all(statement, params)
      return row?.n ?? 0
    }),
  )
  return { waiting, claimed, held }
}

/** What the timeline tells of an operator's word. */
export function eventOfHands(
  type: EventType,
  row: SelectedDelivery,
  at: number,
  more: EventDetail & { readonly terminal?: true } = {},
): MailEvent {
  const { terminal = false, ...detail } = more
  return {
    type,
    at,
    accountId: row.account_id,
    domainId: row.domain_id,
    messageId: row.message_id,
    deliveryId: row.id,
    terminal,
    detail: {
      sender: row.sender,
      recipient: row.recipient,
      subject: row.subject,
      attempt: row.attempts,
      ...detail,
    },
  }
}
