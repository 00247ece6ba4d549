import { addressParser } from 'postal-mime'
import { foldAddress } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { bodyText } from '#protocol/body-text.ts'
import { decodeWords } from '#protocol/encoded-word.ts'
import { type Outline, outlineMessage } from '#protocol/outline-message.ts'
import { allValues, firstValue } from '#protocol/read-header.ts'
import { foldText } from './fold-text.ts'
import { htmlToText } from './html-to-text.ts'
import type { ContentSummary, MailboxView } from './message-summary.ts'
import { isAttachment, isBodyText } from './part-kind.ts'

export interface Envelope {
  /** Empty for the null sender. */
  readonly from: string
  readonly to: readonly string[]
}

export interface ReceiptSummary {
  readonly summary: ContentSummary
  /** Without angle brackets; empty where there is none. */
  readonly messageId: string
  /** Those of the envelope that the inbox lists: the first 100, or fewer where their names are very long. */
  readonly recipients: readonly string[]
  readonly searchText: string
}

const MAX_ADDRESS_TEXT = 16 * 1024
// RFC 5321 §4.5.3.1.3: a path has 256 octets, of which the brackets are two.
const MAX_MAILBOX_TEXT = 254
/** A message sent here has 50 recipients at most. */
const FIELD_ROOM = { items: 50, json: 4 * 1024 }
// RFC 5321 §4.5.3.1.8: a transaction may have 100 recipients.
const ENVELOPE_ROOM = { items: 100, json: 4 * 1024 }
const MAX_SUBJECT = 1_000
const MAX_BODY_SOURCE = 64 * 1024
const MAX_SEARCH_TEXT = 8 * 1024
// Mailpit cuts at 200 characters and adds three dots.
const SNIPPET_LENGTH = 200

/** What the inbox lists and searches, read once at receipt. It costs a look at the header, at where the parts lie and
 *  at the beginning of the text; every limit above keeps a hostile message as cheap as a large one, and no message is
 *  refused for what it contains. */
export function summarizeMessage(raw: Buffer, envelope: Envelope): ReceiptSummary {
  const outline = outlineMessage(raw)
  const { plain, html } = readTexts(raw, outline)
  const mailboxes = (name: string) => readMailboxes(allValues(outline.header, name).join(', '))
  const [to, cc, bcc] = [mailboxes('to'), mailboxes('cc'), mailboxes('bcc')]
  const subject = decodeWords((firstValue(outline.header, 'subject') ?? '').slice(0, MAX_ADDRESS_TEXT))
  const summary: ContentSummary = {
    From: readFrom(firstValue(outline.header, 'from') ?? ''),
    To: fitting(to, FIELD_ROOM),
    Cc: fitting(cc, FIELD_ROOM),
    Bcc: fitting([...bcc, ...unnamedRecipients(envelope.to, [...to, ...cc, ...bcc])], FIELD_ROOM),
    ReplyTo: fitting(mailboxes('reply-to'), FIELD_ROOM),
    Subject: subject.slice(0, MAX_SUBJECT).toWellFormed(),
    Attachments: outline.parts.filter((part) => isAttachment(part)).length,
    Inline: outline.parts.filter((part) => !isAttachment(part) && !isBodyText(part)).length,
    Snippet: cutSnippet(plain || html),
  }
  const recipients = fitting(envelope.to, ENVELOPE_ROOM)
  const fileNames = outline.parts.map((part) => decodeWords(part.fileName))
  return {
    summary,
    messageId: readMessageId(firstValue(outline.header, 'message-id') ?? ''),
    recipients,
    searchText: searchText(summary, [envelope.from, ...recipients, ...fileNames], [plain, html]),
  }
}

/** The first ones, as many as there is room for in characters of JSON: that is how they are stored. */
function fitting<T>(items: readonly T[], room: { readonly items: number; readonly json: number }): T[] {
  const kept: T[] = []
  let left = room.json
  for (const item of items.slice(0, room.items)) {
    left -= JSON.stringify(item).length
    if (left < 0) break
    kept.push(item)
  }
  return kept
}

function readTexts(raw: Buffer, outline: Outline): { plain: string; html: string } {
  const texts = outline.parts.filter((part) => isBodyText(part))
  const plain = texts.find((part) => part.type === 'text/plain')
  const html = texts.find((part) => part.type === 'text/html')
  return {
    plain: plain ? collapse(bodyText(raw, plain, MAX_BODY_SOURCE)) : '',
    html: html ? htmlToText(bodyText(raw, html, MAX_BODY_SOURCE)) : '',
  }
}

/** Mailpit shows a From that holds no address as a name. */
function readFrom(value: string): MailboxView {
  return (
    readMailboxes(value)[0] ?? {
      Name: decodeWords(value.slice(0, MAX_ADDRESS_TEXT)).slice(0, MAX_MAILBOX_TEXT).toWellFormed(),
      Address: '',
    }
  )
}

/** Reads what strict parsers refuse (groups, unquoted names): the inbox shows mail as it came. */
function readMailboxes(value: string): MailboxView[] {
  return addressParser(value.slice(0, MAX_ADDRESS_TEXT), { flatten: true }).flatMap(({ name, address }) =>
    address?.includes('@')
      ? [
          {
            Name: name.slice(0, MAX_MAILBOX_TEXT).toWellFormed(),
            Address: address.slice(0, MAX_MAILBOX_TEXT).toWellFormed(),
          },
        ]
      : [],
  )
}

function unnamedRecipients(recipients: readonly string[], named: readonly MailboxView[]): MailboxView[] {
  const known = new Set(named.map(({ Address }) => mailboxKey(Address)))
  return recipients
    .filter((recipient) => !known.has(mailboxKey(recipient)))
    .map((recipient) => ({ Name: '', Address: recipient }))
}

/** A header may spell a mailbox in another way than the envelope: in NFD, or with its domain as U-labels. */
function mailboxKey(text: string): string {
  const address = parseAddress(text)
  return isAddress(address) ? foldAddress(address) : text.toLowerCase()
}

function readMessageId(value: string): string {
  return value.slice(0, MAX_SUBJECT).replace(/^<|>$/g, '').replaceAll('\0', '').toWellFormed()
}

/** Names take up half of the room at most, and the texts the rest. */
function searchText(summary: ContentSummary, names: readonly string[], texts: readonly string[]): string {
  const { From, To, Cc, Bcc, ReplyTo, Subject } = summary
  const addresses = [From, ...To, ...Cc, ...Bcc, ...ReplyTo].map(({ Name, Address }) => `${Name} ${Address}`)
  const head = [Subject, ...addresses, ...names].join(' ').slice(0, MAX_SEARCH_TEXT / 2)
  return foldText([head, ...texts].join(' ').slice(0, MAX_SEARCH_TEXT))
}

function collapse(text: string): string {
  return text.replace(/[\s\uFEFF]+/g, ' ').trim()
}

function cutSnippet(text: string): string {
  if (text.length <= SNIPPET_LENGTH) return text.toWellFormed()
  const end = text.codePointAt(SNIPPET_LENGTH - 1) ?? 0
  // One that ends beyond the basic plane would be cut in two.
  return `${text.slice(0, end > 0xffff ? SNIPPET_LENGTH - 1 : SNIPPET_LENGTH).toWellFormed()}...`
}
