import type { Address } from './address.ts'

/** What became of a routed message, in the words of its events. `return`: mail to an address that forwarding rewrote,
 *  on its way back to the original sender. `none`: no rule takes mail for the recipient. */
export type RoutingAction = 'forward' | 'worker' | 'drop' | 'return' | 'none'

/** What routing decided about one recipient of a message that came in, as each of its events tells it. */
export interface Routed {
  /** Null where no rule was matched: refused before, or a way of the service's own. */
  readonly ruleId: string | null
  readonly action: RoutingAction
  /** As the sender wrote it. */
  readonly recipient: Address
  /** Results in the words of RFC 8601 §2.7; absent where the message was refused before they were known. */
  readonly spf?: string
  readonly dkim?: string
  readonly dmarc?: string
  readonly arc?: string
  readonly isSpam: boolean
  /** A report about other mail: the null sender, or multipart/report. */
  readonly isNdr: boolean
  /** Of the session that it came in by. */
  readonly sessionId: string
  readonly remoteAddress: string
  /** Why it was refused, or not acted upon. */
  readonly reason?: string
  /** Of the event that tells how a Worker's handler ended; what it forwarded has events of its own. */
  readonly worker?: WorkerRun
}

/** How a Worker's handler ended, and what of what it asked for was done by then and stays done. */
export interface WorkerRun {
  readonly scriptName: string
  /** `missing`: the account has no Worker of that name. `unavailable`: it did not start, or found no room. */
  readonly outcome:
    | 'handled'
    | 'rejected'
    | 'exception'
    | 'missing'
    | 'unavailable'
    | 'crashed'
    | 'timeout'
    | 'exceeded-cpu'
    | 'exceeded-memory'
  /** What was thrown, cut to what a person reads; for an end that is not the handler's own a name in capitals
   *  (`EXCEEDED_CPU`) and what the runtime says. */
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string }
  /** Where it was forwarded to; `messageId` is that of the forward's own events. */
  readonly forwards: readonly { readonly destination: Address; readonly messageId: string }[]
  /** Message-ID of its reply. */
  readonly reply?: string
}

/** A message that came in and goes on: what its delivery needs besides its row. */
export interface Forwarding {
  /** MAIL FROM of the next transaction; '' is the null sender. */
  readonly envelopeSender: Address | ''
  /** Whether the original sender is told of a failure after we answered 250: only where it is proven that it was the
   *  sender, so that nobody is hit by backscatter. */
  readonly tellsSender: boolean
  /** It came with SMTPUTF8. Octets above 127 in the header of one that did not are passed on as they came. */
  readonly smtpUtf8: boolean
  readonly routed: Routed
}
