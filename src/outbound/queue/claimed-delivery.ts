import type { Address } from '#model/address.ts'
import type { TlsWish } from '#model/delivery.ts'
import type { Forwarding } from '#model/routing.ts'
import type { Lane } from './lane.ts'

/** A message as delivery and outcome need it. Times are milliseconds in UTC. */
export interface QueuedMessage {
  readonly id: string
  readonly accountId: string
  readonly domainId: string | null
  /** The Message-ID header, angle brackets included. */
  readonly headerMessageId: string
  /** '' for the null sender of our own notices, which have an empty `returnPathDomain` too: nobody answers them. */
  readonly sender: Address | ''
  readonly returnPathDomain: string
  readonly subject: string
  readonly bodyId: string
  readonly size: number
  readonly previewEnabled: boolean
  readonly tls: TlsWish
  readonly createdAt: number
  /** Where it came in by our MX: `sender` is then whoever sent it. */
  readonly forwarding?: Forwarding
}

/** One delivery in this process's hands. `claimToken` is the right to defer or to fail it. */
export interface ClaimedDelivery {
  readonly id: string
  readonly message: QueuedMessage
  readonly recipient: Address
  readonly recipientDomain: string
  /** Attempts made before this one. */
  readonly attempts: number
  readonly expiresAt: number
  readonly createdAt: number
  readonly claimToken: string
  /** Sent ahead of a lane whose hosts did not answer: once they answer it, the lane goes on. */
  readonly probe: boolean
  /** The message as it goes out, when it was promised a moment ago or is not yet; otherwise it is read back from its
   *  body. */
  readonly content?: Buffer | StreamedContent
}

/** A message that is too large to be held in memory by everybody who sends one. */
export interface StreamedContent {
  /** Octets. */
  readonly size: number
  /** The header section with its blank line, or as much of it as anybody reads. */
  readonly header: Buffer
  /** Whether any octet is above 127. */
  readonly eightBit: boolean
  /** All of it, header included, as often as it is wanted. */
  open(): AsyncIterable<Uint8Array>
}

export function laneOf(delivery: ClaimedDelivery): Lane {
  return { accountId: delivery.message.accountId, recipientDomain: delivery.recipientDomain }
}
