/** Everything that can happen to mail, one closed list. Logs, analytics, webhooks and the dashboard derive from it. */
export type EventType = 'accepted' | 'deferred' | 'delivered' | 'bounced' | 'failed' | 'rejected' | 'dropped'

/** Why a delivery was put off, refused or given up. `recipient-*` are about the mailbox and may suppress it;
 *  nothing else ever does (promise 7). */
export type Cause =
  | 'recipient-unknown'
  | 'recipient-domain-unknown'
  | 'recipient-full'
  | 'recipient-rate-limited'
  | 'policy'
  | 'greylisted'
  | 'host-unreachable'
  | 'connection-lost'
  | 'dns'
  | 'tls'
  | 'protocol'
  | 'expired'
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

export interface EventDetail {
  readonly sender?: string
  readonly recipient?: string
  readonly recipients?: readonly string[]
  readonly subject?: string
  readonly size?: number
  readonly attempt?: number
  readonly cause?: Cause
  readonly smtpReply?: string
  readonly smtpStatus?: number
  readonly enhancedStatus?: string
  readonly host?: string
  readonly address?: string
  readonly tls?: string
  readonly retryAt?: number
  readonly durationMs?: number
}
