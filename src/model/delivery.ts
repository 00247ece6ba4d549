/** The life of one delivery: one recipient of one message. Only a delivery has a state; a message has none.
 *
 *  `waiting`    promised, due at `due_at`
 *  `claimed`    one process is attempting it
 *  `held`       an operator keeps it back until it is released
 *  `delivered`  the recipient's server answered 2xx to the content
 *  `bounced`    the recipient's server refused it for good
 *  `failed`     it expired, or a fault of ours or of the sender's set-up made delivery impossible
 *  `rejected`   never attempted: the recipient was suppressed
 *  `dropped`    an operator or a rule took it out */
export type DeliveryState =
  | 'waiting'
  | 'claimed'
  | 'held'
  | 'delivered'
  | 'bounced'
  | 'failed'
  | 'rejected'
  | 'dropped'

export type SettledState = Exclude<DeliveryState, 'waiting' | 'claimed' | 'held'>

/** Every legal move. A 250 settles a delivery whatever its claim says (the mail is gone, better delivered twice
 *  than lost), so `waiting` may become `delivered` too; the sweeper ends what expired while it waited. */
export const NEXT = {
  waiting: ['claimed', 'held', 'delivered', 'bounced', 'failed', 'dropped'],
  claimed: ['waiting', 'delivered', 'bounced', 'failed', 'dropped'],
  held: ['waiting', 'delivered', 'bounced', 'failed', 'dropped'],
  delivered: [],
  bounced: [],
  failed: [],
  rejected: [],
  dropped: [],
} as const satisfies Record<DeliveryState, readonly DeliveryState[]>

/** How a submitter wants a message protected on the way: as the recipient's domain and ours have it, over verified TLS
 *  or not at all (REQUIRETLS, RFC 8689 §4), or delivered even where TLS fails (TLS-Required: No, §5). */
export type TlsWish = 'policy' | 'required' | 'optional'

/** What a sender learns of a recipient while it waits: settled, or attempted and put off. */
export type Verdict = 'delivered' | 'bounced' | 'failed' | 'deferred'
