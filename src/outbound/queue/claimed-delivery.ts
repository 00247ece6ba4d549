import type { Address } from '#model/address.ts'

/** The scheduled unit: an account's mail for one recipient domain. */
export interface Lane {
  readonly accountId: string
  readonly recipientDomain: string
}

/** A message as delivery and outcome need it. Times are milliseconds in UTC. */
export interface QueuedMessage {
  readonly id: string
  readonly accountId: string
  readonly domainId: string | null
  /** The Message-ID header, angle brackets included. */
  readonly headerMessageId: string
  readonly sender: Address
  readonly returnPathDomain: string
  readonly subject: string
  readonly bodyId: string
  readonly size: number
  readonly previewEnabled: boolean
  readonly createdAt: number
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
  /** The signed message, when it was promised a moment ago; otherwise it is read back from its body. */
  readonly content?: Buffer
}
