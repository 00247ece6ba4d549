import { statement, type Write } from '#store/store.ts'
import type { ClaimedDelivery, QueuedMessage } from './claimed-delivery.ts'

export function insertMessage(
  message: QueuedMessage,
  unsettled: number,
  suppressed: readonly string[],
): Write {
  return {
    statement: messageInsert,
    params: [
      message.id,
      message.accountId,
      message.domainId,
      message.headerMessageId,
      message.sender,
      message.returnPathDomain,
      message.subject,
      message.bodyId,
      message.size,
      unsettled,
      message.previewEnabled ? 1 : 0,
      JSON.stringify(suppressed),
      message.tls,
      message.createdAt,
      message.forwarding ? JSON.stringify(message.forwarding) : null,
    ],
    rows: 1,
  }
}

const messageInsert = statement(
  'queue.message-insert',
  `insert into message (id, account_id, domain_id, header_message_id, sender, return_path_domain, subject, body_id,
     size, unsettled, preview_enabled, suppressed_recipients, tls, created_at, forwarding)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
)

export interface NewDelivery
  extends Pick<
    ClaimedDelivery,
    'id' | 'recipient' | 'recipientDomain' | 'expiresAt' | 'message' | 'createdAt'
  > {
  /** Present: born claimed by this process, which attempts it at once. Absent: waits, due now. */
  readonly claim: { readonly node: string; readonly token: string } | undefined
}

export function insertDelivery(delivery: NewDelivery): Write {
  return {
    statement: deliveryInsert,
    params: [
      delivery.id,
      delivery.message.id,
      delivery.message.accountId,
      delivery.recipient,
      delivery.recipientDomain,
      delivery.claim ? 'claimed' : 'waiting',
      delivery.expiresAt,
      delivery.claim?.node ?? null,
      delivery.claim?.token ?? null,
      delivery.createdAt,
    ],
    rows: 1,
  }
}

const deliveryInsert = statement(
  'queue.delivery-insert',
  `insert into delivery (id, message_id, account_id, recipient, recipient_domain, state, attempts, due_at, expires_at,
     claim_node, claim_token, created_at)
   values ($1, $2, $3, $4, $5, $6, 0, {now}, $7, $8, $9, $10)`,
)
