import type { Address } from '#model/address.ts'
import type { Cause } from '#model/event.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'

/** A delivery that will not be tried again, as the notice about it needs it. */
export interface Failure {
  readonly deliveryId: string
  readonly message: QueuedMessage
  readonly recipient: Address
  /** `refused`: somebody who speaks for the recipient said no for good. `expired`: its time ran out. */
  readonly end: 'refused' | 'expired'
  /** Of the last attempt, for one that expired; `expired` where there was none. */
  readonly cause: Cause
  /** How many were made. */
  readonly attempts: number
  /** When it was settled, in ms. */
  readonly at: number
  /** The last server's, with its codes, or a sentence for what came instead of one. A stranger's text. */
  readonly reply?: string
  readonly enhancedStatus?: string
  /** The last server's name and address. */
  readonly host?: string
  readonly address?: string
  /** What the failure puts the recipient on the suppression list for. */
  readonly suppression?: { readonly forMs: number | null }
  /** The message, or its header section, where it is still in memory. */
  readonly content?: Buffer
}
