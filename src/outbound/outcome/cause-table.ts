import type { Cause } from '#model/event.ts'

/** Whom a failure is about. Only `recipient` may suppress (promise 7). */
export type CauseClass = 'recipient' | 'sender' | 'destination'

const DAY_MS = 86_400_000

interface CauseEntry {
  readonly class: CauseClass
  /** A permanent failure of this cause says that the address will never take mail: a hard bounce. Every other failure
   *  is one that another message, another sender or another day may not meet. */
  readonly hard: boolean
  /** What a permanent failure suppresses for how long; null is for ever. */
  readonly suppression?: { readonly reason: 'hard_bounce' | 'soft_bounce'; readonly forMs: number | null }
}

/** Evidence that the mailbox or its domain does not exist: suppressed until someone lifts it. */
const GONE = { class: 'recipient', hard: true, suppression: { reason: 'hard_bounce', forMs: null } } as const
/** A permanent rejection of a mailbox that may exist: suppressed for a week. */
const REJECTED = {
  class: 'recipient',
  hard: false,
  suppression: { reason: 'hard_bounce', forMs: 7 * DAY_MS },
} as const
/** Temporary by nature, whatever the first digit says: suppressed once final, for a day, never as a hard bounce. */
const BUSY = {
  class: 'recipient',
  hard: false,
  suppression: { reason: 'soft_bounce', forMs: DAY_MS },
} as const
const SENDER = { class: 'sender', hard: false } as const
const DESTINATION = { class: 'destination', hard: false } as const

export const CAUSES = {
  'recipient-unknown': GONE,
  'recipient-domain-unknown': GONE,
  'recipient-domain-closed': GONE,
  'recipient-moved': { ...REJECTED, hard: true },
  'recipient-disabled': REJECTED,
  'recipient-refused': REJECTED,
  'recipient-full': BUSY,
  'recipient-rate-limited': BUSY,
  'content-too-large': SENDER,
  'content-spam': SENDER,
  'content-virus': SENDER,
  'content-malformed': SENDER,
  'sender-authentication': SENDER,
  'sender-dns': SENDER,
  'sender-blocked': SENDER,
  'sender-rate-limited': SENDER,
  'sender-refused': SENDER,
  policy: SENDER,
  'relay-denied': DESTINATION,
  smarthost: SENDER,
  greylisted: DESTINATION,
  'host-unreachable': DESTINATION,
  'connection-lost': DESTINATION,
  dns: DESTINATION,
  tls: DESTINATION,
  protocol: DESTINATION,
  system: DESTINATION,
  loop: DESTINATION,
  expired: DESTINATION,
  // Our own doing: nothing was asked of anybody.
  cancelled: DESTINATION,
  suppressed: DESTINATION,
  other: DESTINATION,
} as const satisfies Record<Cause, CauseEntry>

/** Not `CAUSES[cause]`, whose type names each entry. */
export function causeEntry(cause: Cause): CauseEntry {
  return CAUSES[cause]
}
