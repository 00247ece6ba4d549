import type { Routed } from './routing.ts'

/** Everything that can happen to mail, one closed list. Logs, analytics, webhooks and the dashboard derive from it.
 *  What came back by mail after a delivery had settled is a report: `complained`, or a `bounced` that is not terminal. */
export type EventType =
  | 'accepted'
  | 'deferred'
  | 'held'
  | 'released'
  | 'delivered'
  | 'bounced'
  | 'failed'
  | 'rejected'
  | 'dropped'
  /** A Worker had it, and its handler returned. */
  | 'handled'
  | 'complained'

/** Why a delivery was put off, refused or given up. `recipient-*` are about the mailbox and may suppress it;
 *  nothing else ever does (promise 7). `content-*` and `sender-*` are about what was sent and by whom; the others about
 *  the way there. The store keeps these words: one may be added, none may change its meaning. */
export type Cause =
  | 'recipient-unknown'
  | 'recipient-domain-unknown'
  /** The domain exists and says that it takes no mail (RFC 7505). */
  | 'recipient-domain-closed'
  | 'recipient-moved'
  /** There, and not in use: disabled, suspended, locked. */
  | 'recipient-disabled'
  /** The mailbox, its owner or their rules do not want it, or the host does not say why it is unavailable. */
  | 'recipient-refused'
  | 'recipient-full'
  | 'recipient-rate-limited'
  | 'content-too-large'
  | 'content-spam'
  | 'content-virus'
  | 'content-malformed'
  /** SPF, DKIM, DMARC. */
  | 'sender-authentication'
  /** The sending host's own DNS: no PTR record, a HELO name that is not its own. */
  | 'sender-dns'
  /** Reputation or a block list, of an IP address or of a domain. */
  | 'sender-blocked'
  | 'sender-rate-limited'
  /** The address of the sender: unknown, not a member, not allowed. */
  | 'sender-refused'
  | 'policy'
  | 'relay-denied'
  /** The sender's own smarthost does not take its login. */
  | 'smarthost'
  | 'greylisted'
  | 'host-unreachable'
  | 'connection-lost'
  | 'dns'
  | 'tls'
  | 'protocol'
  /** The other host is in trouble: its disk, its configuration, its load. */
  | 'system'
  | 'loop'
  | 'expired'
  /** Its sender or an operator took it out of the queue. */
  | 'cancelled'
  | 'suppressed'
  | 'other'

/** One step of one message. Times are milliseconds since 1970 in UTC; ids are 32 hex digits. */
export interface MailEvent {
  readonly type: EventType
  readonly at: number
  readonly accountId: string
  /** The sending domain's id, null where the sender was not one of ours. */
  readonly domainId: string | null
  readonly messageId: string | null
  /** Null for `accepted`, which speaks of the whole message. */
  readonly deliveryId: string | null
  /** True for the one event that settles a delivery. */
  readonly terminal: boolean
  readonly detail: EventDetail
}

/** What happened to a domain and not to a message: its records are no longer in DNS as they should be, or are again; or
 *  a rate of its mail has crossed a threshold, or is back. */
export interface DomainEvent extends Omit<MailEvent, 'type' | 'detail'> {
  readonly type: 'dns-drifted' | 'dns-restored' | 'deliverability-declined' | 'deliverability-restored'
  readonly detail: {
    readonly domain: string
    readonly service: 'sending' | 'routing'
    /** Codes of what is wrong, or of what no longer is, in the words of the API. */
    readonly problems: readonly string[]
    /** What the rates are made of, in the days before. */
    readonly figures?: {
      readonly days: number
      readonly settled: number
      readonly delivered: number
      readonly hardBounced: number
      readonly complained: number
    }
  }
}

export interface EventDetail {
  readonly sender?: string
  readonly recipient?: string
  readonly recipients?: readonly string[]
  readonly subject?: string
  /** Of mail that came in: Message-ID, as its header has it. Of sent mail it is known from its id. */
  readonly headerMessageId?: string
  readonly size?: number
  /** Of a raw message: names of headers that were taken out. */
  readonly removedHeaders?: readonly string[]
  /** Of `accepted`: the Worker whose code sent it, by its binding or in answer to a message that came in. */
  readonly worker?: { readonly scriptName: string; readonly call: 'send' | 'reply' }
  readonly attempt?: number
  readonly cause?: Cause
  readonly smtpReply?: string
  readonly smtpStatus?: number
  readonly enhancedStatus?: string
  readonly host?: string
  readonly address?: string
  /** Protocol and cipher, where the attempt had TLS. */
  readonly tls?: string
  /** Which demand the attempt had to meet, in the words of `outbound/deliver/tls-policy.ts`. */
  readonly tlsPolicy?: string
  /** What was wrong with the TLS, where it mattered or was noted. */
  readonly tlsFailure?: string
  /** What was said, one line each: `c: …`, `s: …`. Never contents, never credentials. */
  readonly dialogue?: readonly string[]
  /** Feedback type of a complaint (RFC 5965 §7.3). */
  readonly feedbackType?: string
  /** The connection broke between the final dot and its reply. */
  readonly perhapsTaken?: boolean
  readonly retryAt?: number
  readonly durationMs?: number
  /** Of mail that came in: what routing decided. */
  readonly routed?: Routed
}
