/** A message as the inbox lists it. The names and shapes are Mailpit's (`MessageSummary`), so that test helpers
 *  written for it work; `Envelope` is ours, because one message to three recipients arrives three times. */
export interface MessageSummary extends ContentSummary {
  /** 32 hex digits. */
  readonly ID: string
  /** Without angle brackets; empty where the message has none. */
  readonly MessageID: string
  readonly Read: boolean
  /** When it arrived, RFC 3339. */
  readonly Created: string
  readonly Username: ''
  readonly Tags: readonly []
  /** Bytes. */
  readonly Size: number
  readonly Envelope: { readonly From: string; readonly To: readonly string[] }
}

/** What is read out of the content at receipt. */
export interface ContentSummary {
  readonly From: MailboxView
  readonly To: readonly MailboxView[]
  readonly Cc: readonly MailboxView[]
  /** Recipients of the envelope that no header names, besides those of a Bcc field. */
  readonly Bcc: readonly MailboxView[]
  readonly ReplyTo: readonly MailboxView[]
  readonly Subject: string
  readonly Attachments: number
  readonly Inline: number
  readonly Snippet: string
}

export interface MailboxView {
  readonly Name: string
  readonly Address: string
}
