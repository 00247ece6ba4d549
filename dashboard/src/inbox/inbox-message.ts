/** What the inbox answers, with Mailpit's names. */
export interface Mailbox {
  readonly Name: string
  readonly Address: string
}

export interface InboxSummary {
  readonly ID: string
  readonly MessageID: string
  readonly Read: boolean
  readonly Created: string
  readonly Subject: string
  readonly Snippet: string
  readonly Size: number
  readonly Attachments: number
  readonly From: Mailbox
  readonly To: readonly Mailbox[]
  readonly Envelope: { readonly From: string; readonly To: readonly string[] }
}

export interface InboxListing {
  readonly total: number
  readonly messages_count: number
  readonly messages: readonly InboxSummary[]
}

export interface InboxPart {
  readonly PartID: string
  readonly FileName: string
  readonly ContentType: string
  readonly Size: number
}

export interface InboxMessage {
  readonly ID: string
  readonly MessageID: string
  readonly From: Mailbox
  readonly To: readonly Mailbox[]
  readonly Cc: readonly Mailbox[]
  readonly Bcc: readonly Mailbox[]
  readonly ReplyTo: readonly Mailbox[]
  readonly ReturnPath: string
  readonly Subject: string
  readonly Date: string
  readonly Text: string
  readonly HTML: string
  readonly Size: number
  readonly Inline: readonly InboxPart[]
  readonly Attachments: readonly InboxPart[]
  readonly Envelope: { readonly From: string; readonly To: readonly string[] }
  readonly ParseError?: string
}

export const INBOX = '/api/v1'

export function mailboxText({ Name, Address }: Mailbox): string {
  return Name === '' ? Address : `${Name} <${Address}>`
}
