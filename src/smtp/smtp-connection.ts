import type { ClientTlsInfo, SmtpFault } from './client-wire.ts'
import type { Reply } from './reply.ts'

/** An open session, greeted and, where wanted, over TLS. It carries one transaction at a time, any number in turn. */
export interface SmtpConnection {
  readonly ok: true
  /** What EHLO offered: keywords in upper case with their parameters. Empty after HELO. */
  readonly extensions: ReadonlyMap<string, string>
  /** Undefined in clear text. */
  readonly tls: ClientTlsInfo | undefined
  /** Whether another transaction may be begun. The peer may close an idle connection at any time. */
  readonly usable: boolean
  /** Resolves once the connection is gone. */
  readonly closed: Promise<void>
  /** Sends one message. Throws when called during another transaction, with a path that is no mailbox, and what the
   *  source of a content throws; the connection is gone then. */
  transact(transaction: Transaction): Promise<TransactionResult>
  /** Asks whether the connection still works; false closes it. */
  rset(): Promise<boolean>
  /** Says goodbye, waits a little for the answer, and closes. A transaction that is under way is lost. */
  quit(): Promise<void>
}

export interface Transaction {
  /** '' is the null sender. */
  readonly mailFrom: string
  readonly rcptTo: string | readonly string[]
  readonly content: TransactionContent
  /** Every hop from here on has to be verified TLS, or the message comes back (RFC 8689 §2). */
  readonly requireTls?: boolean
  readonly signal?: AbortSignal
}

export interface TransactionContent {
  /** As `dotStuff` makes it: with its final CRLF.CRLF. Or where it comes from in pieces, as `dotStuffed` makes them,
   *  asked for when the peer wants it, no faster than the peer takes it, and closed at any end. */
  readonly dotStuffed: Buffer | (() => AsyncIterable<Buffer>)
  /** Octets before dot-stuffing, for SIZE= (RFC 1870 §3). */
  readonly size: number
  readonly eightBit: boolean
  /** Header or envelope need SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean
}

export type Phase = 'mail' | 'rcpt' | 'data' | 'content'

export type TransactionResult =
  /** The peer has it: 2yz to the content. */
  | { readonly kind: 'accepted'; readonly reply: Reply; readonly refused: readonly RefusedRecipient[] }
  /** The peer said no, or not now. `rcpt`: to every recipient; `reply` is the first one's. A 421 closed the connection.
   *  A message that needs SMTPUTF8 where it is not offered is not sent; its 550 5.6.7 is ours. So is the 550 5.7.30 of
   *  one that requires TLS where there is none, or no REQUIRETLS. */
  | {
      readonly kind: 'refused'
      readonly phase: Phase
      readonly reply: Reply
      readonly refused: readonly RefusedRecipient[]
    }
  /** The connection broke. `afterFinalDot`: the peer may have the message, and sending it again may double it. */
  | {
      readonly kind: 'lost'
      readonly phase: Phase
      readonly afterFinalDot: boolean
      readonly error: SmtpFault
    }

export interface RefusedRecipient {
  readonly rcptTo: string
  readonly reply: Reply
}
