import type { Bodies } from '#bodies/bodies.ts'
import { eventWrite } from '#events/events.ts'
import { type Address, domainOf } from '#model/address.ts'
import type { TlsWish } from '#model/delivery.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import { promiseWrites } from '#outbound/queue/promise-writes.ts'
import type { Write } from '#store/store.ts'

/** A message of the service itself, signed, to one recipient. */
export interface OwnMail {
  readonly messageId: string
  readonly deliveryId: string
  /** In whose lanes it goes. */
  readonly accountId: string
  /** With angle brackets. */
  readonly headerMessageId: string
  readonly recipient: Address
  readonly subject: string
  readonly content: Buffer
  /** Whether the account may read it. */
  readonly previewEnabled: boolean
  readonly tls: TlsWish
  /** When it is promised, in ms. */
  readonly at: number
  readonly expiresAt: number
}

/** The writes that promise it: the null sender, no domain. So it counts towards no quota, makes no notice and no
 *  suppression, and no smarthost of a customer's carries it. Whoever commits them wakes the queue afterwards. */
export async function promiseOwnMail(mail: OwnMail, bodies: Bodies): Promise<Write[]> {
  const { accountId, recipient, subject, content, at } = mail
  const body = await bodies.keep(content)
  const message: QueuedMessage = {
    id: mail.messageId,
    accountId,
    domainId: null,
    headerMessageId: mail.headerMessageId,
    sender: '',
    returnPathDomain: '',
    subject,
    bodyId: body.id,
    size: content.length,
    previewEnabled: mail.previewEnabled,
    tls: mail.tls,
    createdAt: at,
  }
  const delivery = {
    id: mail.deliveryId,
    recipient,
    recipientDomain: domainOf(recipient),
    expiresAt: mail.expiresAt,
    createdAt: at,
    claim: undefined,
  }
  return [
    ...body.writes,
    ...promiseWrites(message, [delivery], []),
    eventWrite({
      type: 'accepted',
      at,
      accountId,
      domainId: null,
      messageId: message.id,
      deliveryId: null,
      terminal: false,
      detail: { sender: '', recipients: [recipient], subject, size: content.length },
    }),
  ]
}
