import type { Address } from '#model/address.ts'
import type { TlsWish } from '#model/delivery.ts'
import type { Forwarding } from '#model/routing.ts'
import { type Store, statement } from '#store/store.ts'
import type { QueuedMessage } from './claimed-delivery.ts'

/** The message of a delivery. A delivery without one would be a broken database, so that throws. */
export async function messageById(store: Store, id: string): Promise<QueuedMessage> {
  const row = await store.get(byId, [id])
  if (!row) throw new Error(`message ${id} is missing although a delivery names it`)
  return {
    id: row.id,
    accountId: row.account_id,
    domainId: row.domain_id,
    headerMessageId: row.header_message_id,
    sender: row.sender,
    returnPathDomain: row.return_path_domain,
    subject: row.subject,
    bodyId: row.body_id,
    size: row.size,
    previewEnabled: row.preview_enabled === 1,
    tls: row.tls,
    createdAt: row.created_at,
    // Written by `insertMessage` alone.
    ...(row.forwarding !== null && { forwarding: JSON.parse(row.forwarding) as Forwarding }),
  }
}

/** `messageById` for a batch of deliveries, of which many may be of one message: each is read once. */
export function readMessages(store: Store): (id: string) => Promise<QueuedMessage> {
  const read = new Map<string, Promise<QueuedMessage>>()
  return (id) => {
    const message = read.get(id) ?? messageById(store, id)
    read.set(id, message)
    return message
  }
}

interface MessageRow {
  readonly id: string
  readonly account_id: string
  readonly domain_id: string | null
  readonly header_message_id: string
  readonly sender: Address | ''
  readonly return_path_domain: string
  readonly subject: string
  readonly body_id: string
  readonly size: number
  readonly preview_enabled: number
  readonly tls: TlsWish
  readonly created_at: number
  readonly forwarding: string | null
}

const byId = statement<MessageRow>(
  'queue.message-by-id',
  `select id, account_id, domain_id, header_message_id, sender, return_path_domain, subject, body_id, size,
     preview_enabled, tls, created_at, forwarding from message where id = $1`,
)
