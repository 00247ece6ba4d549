import type { Address } from '#model/address.ts'
import type { TlsWish } from '#model/delivery.ts'
import type { EventDetail } from '#model/event.ts'
import type { Refusal } from '#model/refusal.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import type { Domains } from '#registry/domains/domains.ts'
import type { Quota } from '#registry/quota/quota.ts'
import type { Rates } from '#registry/quota/rates.ts'
import type { Destinations } from '#registry/routes/destinations.ts'
import type { Suppressions } from '#registry/suppressions/suppressions.ts'
import type { Store } from '#store/store.ts'
import type { Repeatable } from './idempotency.ts'
import type { Recipient } from './recipient.ts'

/** On whose behalf a message is sent. */
export type Submitter = Pick<Principal, 'accountId' | 'sendingEnabled' | 'permissions' | 'zones'>

export interface AcceptOptions {
  /** How long to wait for the first verdict of each recipient, in ms; 0 does not wait. */
  readonly waitMs: number
  readonly protocol: Protocol
  /** As its submitter asked for it; `policy` where it did not. */
  readonly tls?: TlsWish
  /** Sends to the others whatever the domain's setting says (newer-facts.md: SMTP drops suppressed recipients). */
  readonly dropSuppressed?: boolean
  readonly repeatable?: Repeatable
  /** The Worker whose code sends. A `reply` answers mail that came in, whose sender need not be a verified destination
   *  even where the domain is set up for routing only; that it goes to nobody else is for its caller to see to. */
  readonly worker?: NonNullable<EventDetail['worker']>
  /** What the submitter may not do although its account may. Senders of a raw message are its envelope's and its From
   *  header's. */
  readonly restrict?: (parties: {
    readonly senders: readonly Recipient[]
    readonly recipients: readonly Recipient[]
  }) => Refusal | undefined
  /** Called when the promise is about to be committed: from now on the message may exist. */
  readonly onCommitting?: () => void
}

/** How it was submitted, in the words of Received (RFC 3848; RFC 6531 §4.3). */
export type Protocol = 'HTTP' | 'ESMTPSA' | 'UTF8SMTPSA'

export interface Accepted {
  /** The message's, 32 hex digits. */
  readonly id: string
  /** The Message-ID header, angle brackets included. */
  readonly messageId: string
  readonly delivered: readonly Address[]
  readonly bounced: readonly Address[]
  readonly queued: readonly Address[]
  readonly suppressed: readonly Address[]
  /** Headers of a raw message that were taken out and have no place of ours. */
  readonly removedHeaders: readonly string[]
}

export interface AcceptWorld {
  readonly store: Store
  readonly queue: Queue
  readonly domains: Domains
  readonly destinations: Destinations
  readonly suppressions: Suppressions
  readonly quota: Quota
  /** Without it anybody may send as fast as they like. */
  readonly rates?: Rates
  readonly host: string
  readonly expireMs: number
  readonly feedbackTag: (messageId: string) => string
  /** Addresses that count as suppressed without an entry: the simulator's. */
  readonly alwaysSuppressed: (address: Address) => boolean
  readonly now: () => number
}
