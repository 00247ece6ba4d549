import { firstValue, type ReadField, readHeader } from '#protocol/read-header.ts'
import { type ListUnsubscribeView, viewListUnsubscribe } from './list-unsubscribe.ts'
import type { MailboxView, MessageSummary } from './message-summary.ts'
import type { MimeView, PartView, Unreadable } from './read-mime.ts'

/** One message as it is opened: Mailpit's `Message`, with the envelope, and `ParseError` where its source is all there
 *  is to see. */
export interface MessageView {
  readonly ID: string
  readonly MessageID: string
  readonly From: MailboxView
  readonly To: readonly MailboxView[]
  readonly Cc: readonly MailboxView[]
  readonly Bcc: readonly MailboxView[]
  readonly ReplyTo: readonly MailboxView[]
  /** The sender of the envelope: what a Return-Path field would say (RFC 5321 §4.4). */
  readonly ReturnPath: string
  readonly Subject: string
  readonly ListUnsubscribe: ListUnsubscribeView
  /** The message's own date, or else when it arrived; RFC 3339. */
  readonly Date: string
  readonly Tags: readonly []
  readonly Username: ''
  readonly Text: string
  readonly HTML: string
  readonly Size: number
  readonly Inline: readonly PartView[]
  readonly Attachments: readonly PartView[]
  readonly Envelope: MessageSummary['Envelope']
  readonly ParseError?: string
}

const HEADER_LIMITS = { fields: 5_000, bytes: 1024 * 1024 }
const MAX_SOURCE_SHOWN = 256 * 1024
const MAX_DATE = 200

export function viewMessage(summary: MessageSummary, raw: Buffer, mime: MimeView | Unreadable): MessageView {
  const { fields } = readHeader(raw, 0, HEADER_LIMITS)
  const { ID, MessageID, From, To, Cc, Bcc, ReplyTo, Subject, Username, Tags, Size, Envelope } = summary
  const ListUnsubscribe = viewListUnsubscribe(
    firstValue(fields, 'list-unsubscribe') ?? '',
    firstValue(fields, 'list-unsubscribe-post') ?? '',
  )
  return {
    ID,
    MessageID,
    From,
    To,
    Cc,
    Bcc,
    ReplyTo,
    ReturnPath: Envelope.From,
    Subject,
    ListUnsubscribe,
    Date: readDate(firstValue(fields, 'date')) ?? summary.Created,
    Tags,
    Username,
    ...viewContent(raw, mime),
    Size,
    Envelope,
  }
}

function viewContent(raw: Buffer, mime: MimeView | Unreadable) {
  if ('unreadable' in mime) {
    const source = raw.toString('utf8', 0, MAX_SOURCE_SHOWN)
    return { Text: source, HTML: '', Inline: [], Attachments: [], ParseError: mime.unreadable }
  }
  return { Text: mime.text, HTML: mime.html, Inline: mime.inline, Attachments: mime.attachments }
}

/** The header as Mailpit gives it: every value by field name, the names as Go spells them (`Message-Id`). Past the
 *  limits the source is the place to look. */
export function viewHeaders(raw: Buffer): Record<string, readonly string[]> {
  const { fields } = readHeader(raw, 0, HEADER_LIMITS)
  const byName = Map.groupBy(fields, ({ name }) => canonicalName(name))
  const names = [...byName.keys()].sort()
  // Without a prototype, so that a field named `__proto__` is a key like any other.
  const view: Record<string, readonly string[]> = Object.create(null)
  for (const name of names) view[name] = (byName.get(name) ?? []).map(({ value }: ReadField) => value)
  return view
}

/** Go changes the case of names that are tokens (RFC 9110 §5.6.2) and leaves others as they are. */
function canonicalName(name: string): string {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

function readDate(value: string | undefined): string | undefined {
  const time = Date.parse((value ?? '').slice(0, MAX_DATE))
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}
