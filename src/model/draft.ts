import type { Mailbox } from './address.ts'

/** A message as its sender described it, every field already parsed and within its limits. Bcc recipients are not
 *  here: they belong to the envelope alone, so that nothing that composes can put them on the wire. */
export interface Draft {
  readonly from: Mailbox
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  readonly replyTo?: Mailbox
  readonly subject: string
  readonly text?: string
  readonly html?: string
  readonly attachments: readonly Attachment[]
  /** Custom headers, allowed, in canonical casing, unfolded. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export interface Attachment {
  readonly content: Buffer
  readonly filename: string
  /** A media type that no multipart is, perhaps with parameters: `application/pdf`, `text/csv; charset=utf-8`. */
  readonly type: string
  readonly disposition: 'attachment' | 'inline'
  /** Without angle brackets; always there for inline, no two alike in a message. */
  readonly contentId?: string
}

/** The headers that belong to the platform (reference-headers.md), decided before composing. */
export interface PlatformHeaders {
  /** With angle brackets, in the sender's domain. */
  readonly messageId: string
  readonly date: Date
  /** The whole value of our Received field, unfolded. */
  readonly received: string
  readonly feedbackId: string
  /** Where complaints go (RFC 9477) and what names the message there; absent where the From domain has no such address. */
  readonly cfbl?: { readonly address: string; readonly feedbackId: string }
}

/** What signs: the domain in `d=`, its selector, and the parsed private key. */
export interface SigningIdentity {
  readonly domain: string
  readonly selector: string
  readonly key: import('node:crypto').KeyObject
}
