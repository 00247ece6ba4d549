/** `/accounts/{account_id}/email/sending/messages` and `…/deliveries`. Ours, but for `…/messages/{message_id}`, which is
 *  the message itself, as the original has it (clients.md). Times are in ISO 8601. */
export const DELIVERY_STATES = [
  'waiting',
  'claimed',
  'held',
  'delivered',
  'bounced',
  'failed',
  'rejected',
  'dropped',
] as const

/** What became of a message for one of its recipients. */
export interface DeliveryBody {
  readonly id: string
  /** The Message-ID header, angle brackets included, as `send` answered it. */
  readonly message_id: string
  /** Empty for a notice of ours, which nobody answers. */
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly state: (typeof DELIVERY_STATES)[number]
  readonly attempts: number
  /** Of one that waits. */
  readonly next_attempt_at: string | null
  readonly created_at: string
  readonly expires_at: string
  readonly settled_at: string | null
  /** What the recipient's server said last, or a sentence for what came instead. */
  readonly last_reply: string | null
  readonly last_cause: string | null
}

export interface MessageBody {
  readonly message_id: string
  readonly from: string
  readonly subject: string
  /** In bytes. */
  readonly size: number
  readonly created_at: string
  readonly deliveries: readonly DeliveryBody[]
}

/** One thing that happened. What does not apply is left out. */
export interface TimelineEvent {
  readonly id: string
  readonly at: string
  readonly type: string
  /** Null where it speaks of the whole message. */
  readonly delivery_id: string | null
  /** Whether it settled the delivery. What came back by mail afterwards settles nothing. */
  readonly terminal: boolean
  readonly sender?: string
  readonly recipient?: string
  readonly recipients?: readonly string[]
  readonly subject?: string
  readonly size?: number
  readonly removed_headers?: readonly string[]
  readonly attempt?: number
  readonly cause?: string
  readonly smtp_reply?: string
  readonly smtp_status?: number
  readonly enhanced_status?: string
  readonly host?: string
  readonly address?: string
  /** Protocol and cipher. */
  readonly tls?: string
  readonly tls_policy?: string
  readonly tls_failure?: string
  /** What was said, a line each: `c: …`, `s: …`. Never contents, never credentials. */
  readonly dialogue?: readonly string[]
  readonly feedback_type?: string
  /** The connection broke between the final dot and its reply. */
  readonly perhaps_taken?: boolean
  readonly retry_at?: string
  readonly duration_ms?: number
}

export interface TimelineBody {
  readonly message_id: string
  readonly events: readonly TimelineEvent[]
}
