import { readAmazonNotification } from './amazon-notification.ts'
import { bodyText } from './body-text.ts'
import {
  AUTO_REPLY_SUBJECTS,
  BOUNCE_SENTENCES,
  BOUNCE_SUBJECTS,
  DAEMON,
  DELAY_SENTENCES,
  FINAL_SENTENCES,
} from './bounce-forms.ts'
import { readDeliveryStatus } from './delivery-status.ts'
import { decodeWords } from './encoded-word.ts'
import { type ComplaintReport, plainComplaint, readFeedbackReport } from './feedback-report.ts'
import { addressesIn } from './find-addresses.ts'
import { type Notice, noticeAbout, readNotice, splitNotice } from './free-form-bounce.ts'
import { type OriginalHeaders, readOriginalHeaders } from './original-headers.ts'
import { type Outline, type OutlinePart, outlineMessage } from './outline-message.ts'
import { allValues, firstValue, readHeader } from './read-header.ts'
import { oneLine, phaseIn, type ReportedRecipient } from './reported-recipient.ts'

/** What a message that came back to an address of ours says. It is what a stranger says: the report may be forged, and
 *  names no delivery; that the return path does, which is why a bounce may come without recipients. */
export type ReturnedMail =
  | Report<'bounce'>
  /** Still trying: changes nothing. */
  | Report<'delay'>
  /** Success, relayed, expanded. */
  | Report<'delivered'>
  | { readonly kind: 'complaint'; readonly reports: readonly ComplaintReport[] }
  /** Vacation, challenge, receipt, TLS or DMARC report: whatever a machine answers that is no news of a delivery. */
  | { readonly kind: 'auto-reply' }
  | { readonly kind: 'other' }

export interface Report<Kind extends string> {
  readonly kind: Kind
  readonly recipients: readonly ReportedRecipient[]
  readonly original: OriginalHeaders | undefined
}

const MAX_NOTICE = 128 * 1024
const MAX_STATUS = 512 * 1024
const MAX_ORIGINAL = 256 * 1024
const MAX_FORWARDED = 2 * 1024 * 1024
const MAX_FIELDS = { fields: 3_000, bytes: 256 * 1024 }
const MOST_REPORTS = 100

/** Reads whatever came to a return path or to a feedback address. Never fails; bounded in time and memory by the
 *  message's size and by the limits above. First the forms that have a standard: ARF (RFC 5965) and delivery status
 *  notifications (RFC 3464, RFC 6533); then what hosts write to people. */
export function readReturnedMail(raw: Buffer): ReturnedMail {
  const mail = open(raw)
  return (
    readComplaint(mail) ??
    readStatusReport(mail) ??
    readMachineReport(mail) ??
    readForwarded(mail) ??
    readFreeForm(mail)
  )
}

interface OpenMail {
  readonly raw: Buffer
  readonly outline: Outline
  /** Content-Type of the message in lower case, folded white space and all. */
  readonly type: string
  readonly subject: string
  readonly notice: Notice
  readonly noticeText: string
  readonly original: () => OriginalHeaders | undefined
}

function open(raw: Buffer): OpenMail {
  const outline = withBody(raw, outlineMessage(raw))
  const noticeText = noticeTextOf(raw, outline.parts)
  const notice = splitNotice(noticeText)
  return {
    raw,
    outline,
    type: (firstValue(outline.header, 'content-type') ?? '').toLowerCase(),
    subject: oneLine(decodeWords((firstValue(outline.header, 'subject') ?? '').slice(0, 2_000)), 500),
    notice,
    noticeText,
    original: () => originalOf(raw, outline.parts, notice),
  }
}

/** A multipart whose boundary never comes is one text. */
function withBody(raw: Buffer, outline: Outline): Outline {
  if (outline.parts.length > 0) return outline
  const start = readHeader(raw, 0, MAX_FIELDS).bodyStart
  const body = { type: 'text/plain', charset: undefined, encoding: '', disposition: '', fileName: '' }
  return { ...outline, parts: [{ ...body, start, end: raw.length }] }
}

// RFC 5965 §2, RFC 3464 §1, RFC 6522 §3; `text/rfc822-header` is what some write.
const isOriginal = ({ type }: OutlinePart) =>
  type === 'message/rfc822' ||
  type === 'message/global' ||
  /^(?:text|message)\/(?:rfc822|global)-headers?$/.test(type)
const isStatus = ({ type }: OutlinePart) =>
  type === 'message/delivery-status' || type === 'message/global-delivery-status'
const isFeedback = ({ type }: OutlinePart) => type === 'message/feedback-report'
const isText = ({ type }: OutlinePart) => type === 'text/plain' || type === 'text'

/** The part for people: the text before the returned message, of HTML only where there is nothing else. Of a message
 *  without parts its body, whatever its header says of it. */
function noticeTextOf(raw: Buffer, parts: readonly OutlinePart[]): string {
  const last = parts.findIndex(isOriginal)
  const before = last === -1 ? parts : parts.slice(0, last)
  const plain = before.filter((part) => isText(part) && part.disposition !== 'attachment').slice(0, 3)
  const html = before.find(({ type }) => type === 'text/html')
  const texts = plain.map((part) => bodyText(raw, asWritten(raw, part), MAX_NOTICE))
  const text = texts.join('\n')
  if (text.trim() !== '') return text
  if (html) return withoutTags(bodyText(raw, html, MAX_NOTICE))
  const [only] = before
  return only && !isStatus(only) && !isFeedback(only) ? bodyText(raw, asWritten(raw, only), MAX_NOTICE) : ''
}

/** Text in ISO-2022-JP often says nothing of its charset, and nothing else looks like it. */
function asWritten(raw: Buffer, part: OutlinePart): OutlinePart {
  const declared = part.charset?.toLowerCase() ?? 'us-ascii'
  const silent = declared === 'us-ascii' || declared === 'ascii'
  return silent && raw.subarray(part.start, Math.min(part.end, part.start + 4_096)).includes('\u001b$')
    ? { ...part, charset: 'iso-2022-jp' }
    : part
}

function withoutTags(html: string): string {
  return html
    .replaceAll(/<(?:br|p|div|tr|li|h\d|table|pre)\b[^<>]{0,2000}>/gi, '\n')
    .replaceAll(/<[^<>]{0,4000}>/g, ' ')
    .replaceAll(/&(?:nbsp|#160);/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

function originalOf(raw: Buffer, parts: readonly OutlinePart[], notice: Notice): OriginalHeaders | undefined {
  const part = parts.find(isOriginal)
  if (part) {
    const source = readOriginalHeaders(contentOf(raw, part, MAX_ORIGINAL))
    if (source) return source
  }
  if (notice.original !== undefined) return readOriginalHeaders(Buffer.from(notice.original))
  // A host that attaches the header as a plain file.
  const attached = parts.find((each) => isText(each) && /header/i.test(each.fileName))
  return attached && readOriginalHeaders(contentOf(raw, attached, MAX_ORIGINAL))
}

/** Parts that are no text are ASCII or UTF-8 (RFC 6533 §3). Some hosts encode them although RFC 3464 §2.1 says 7bit. */
function contentOf(raw: Buffer, part: OutlinePart, limit: number): Buffer {
  const encoded = part.encoding === 'base64' || part.encoding === 'quoted-printable'
  if (encoded) return Buffer.from(bodyText(raw, { ...part, charset: 'utf-8' }, limit))
  const start = skipBlankLines(raw, part.start, part.end)
  return raw.subarray(start, Math.min(part.end, start + limit))
}

function skipBlankLines(raw: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (raw[at] === 10 || raw[at] === 13)) at++
  return at
}

/** RFC 5965, and the complaints of providers that came before it. */
function readComplaint(mail: OpenMail): ReturnedMail | undefined {
  const { raw, outline } = mail
  const reports = outline.parts.filter(isFeedback).slice(0, MOST_REPORTS)
  if (reports.length > 0) {
    return {
      kind: 'complaint',
      reports: reports.map((part) => {
        const fields = readHeader(contentOf(raw, part, MAX_FIELDS.bytes), 0, MAX_FIELDS).fields
        // RFC 5965 §2: the message follows its report.
        const after = outline.parts.slice(outline.parts.indexOf(part) + 1)
        return readFeedbackReport(fields, originalOf(raw, after, { lines: [], original: undefined }))
      }),
    }
  }
  const isReport = mail.type.includes('feedback-report')
  const [, sourceIp] = COMPLAINT_SUBJECT.exec(mail.subject) ?? []
  const senders = `${firstValue(outline.header, 'from') ?? ''} ${firstValue(outline.header, 'sender') ?? ''}`
  if (!isReport && (sourceIp === undefined || !COMPLAINT_SENDER.test(senders))) return undefined
  const original = mail.original()
  if (isReport && original === undefined) return undefined
  return {
    kind: 'complaint',
    reports: [plainComplaint(original, sourceIp === undefined ? {} : { sourceIp })],
  }
}

// Microsoft's Junk Mail Reporting Program: no report part, the message alone.
const COMPLAINT_SUBJECT = /complaint about message from ([0-9A-Fa-f.:]{3,45})/i
const COMPLAINT_SENDER = /@(?:[a-z0-9-]{1,63}\.){0,4}(?:hotmail|outlook|live|microsoft)\.com\b/i

/** RFC 3464. The part for people often has the words of the last server where the field has its code alone. */
function readStatusReport(mail: OpenMail): ReturnedMail | undefined {
  const { raw, outline } = mail
  let { notice } = mail
  const parts = outline.parts.filter(isStatus)
  let recipients = parts.flatMap((part) =>
    readDeliveryStatus(contentOf(raw, part, MAX_STATUS).toString('utf8')),
  )
  if (recipients.length === 0) {
    const text = notice.lines.join('\n')
    // Some hosts write the fields into the text, or into a part that their Content-Type does not name.
    const fields = /^[ \t]{0,8}(?:reporting-mta|final-recipient|original-recipient|action)[ \t]*:/im.exec(
      text,
    )
    if (fields) {
      recipients = readDeliveryStatus(text.slice(fields.index)).filter(saysWhy)
      notice = { ...notice, lines: text.slice(0, fields.index).split('\n') }
    }
  }
  if (recipients.length === 0) return undefined
  const alone = recipients.length === 1
  const senders = addressesOf(mail)
  const told = recipients.map((each) => {
    const words =
      noticeAbout(notice, each.recipient, alone, senders) ||
      noticeAbout(notice, each.originalRecipient, alone, senders)
    const phase = each.phase ?? phaseIn(words)
    return { ...each, ...(phase !== undefined && { phase }), ...(words !== '' && { notice: words }) }
  })
  return report(told, mail.original())
}

const saysWhy = ({ status, diagnostic }: ReportedRecipient) =>
  status !== undefined || diagnostic !== undefined

function report(
  recipients: readonly ReportedRecipient[],
  original: OriginalHeaders | undefined,
): ReturnedMail {
  const has = (...actions: ReportedRecipient['action'][]) =>
    recipients.some(({ action }) => actions.includes(action))
  const kind = has('failed') ? 'bounce' : has('delayed') ? 'delay' : 'delivered'
  return { kind, recipients, original }
}

/** Reports of a standard form about something else: receipts (RFC 8098), TLS (RFC 8460) and DMARC reports. */
function readMachineReport(mail: OpenMail): ReturnedMail | undefined {
  const isReceipt = mail.outline.parts.some(({ type }) =>
    /^message\/(?:global-)?disposition-notification$/.test(type),
  )
  return isReceipt || /report-type="?(?:disposition-notification|tlsrpt)/.test(mail.type)
    ? { kind: 'auto-reply' }
    : undefined
}

/** A report inside a message that itself says nothing: filters and fetchers wrap what passes them. */
function readForwarded({ raw, outline, notice }: OpenMail): ReturnedMail | undefined {
  const part = outline.parts.find(({ type }) => type === 'message/rfc822')
  if (!part || notice.lines.some((line) => line.includes('@'))) return undefined
  const inner = open(contentOf(raw, part, MAX_FORWARDED))
  return inner.type.startsWith('multipart/report') ? readStatusReport(inner) : undefined
}

function readFreeForm(mail: OpenMail): ReturnedMail {
  const { outline, notice, noticeText, subject } = mail
  const amazon = readAmazonNotification(noticeText)
  if (amazon) return amazon
  const { header } = outline
  const failed = allValues(header, 'x-failed-recipients').flatMap((value) => addressesIn(value, 100))
  const from = decodeWords((firstValue(header, 'from') ?? '').slice(0, 1_000))
  const returnPath = firstValue(header, 'return-path')?.trim()
  const isDaemon =
    DAEMON.test(from) || returnPath === '<>' || returnPath === '' || /daemon/i.test(returnPath ?? '')
  if (AUTO_REPLY_SUBJECTS.some((each) => each.test(subject)) && failed.length === 0 && !DAEMON.test(from)) {
    return { kind: 'auto-reply' }
  }
  const text = notice.lines.join(' ').slice(0, 16_384)
  const hasSubject = BOUNCE_SUBJECTS.some((each) => each.test(subject))
  const hasSentence = BOUNCE_SENTENCES.some((each) => each.test(text))
  const signs = Number(isDaemon) + Number(hasSubject) + Number(hasSentence)
  if (failed.length > 0 || signs >= 2) {
    const isDelay =
      DELAY_SENTENCES.some((each) => each.test(text)) && !FINAL_SENTENCES.some((each) => each.test(text))
    const senders = addressesOf(mail)
    const recipients = readNotice(notice, isDelay ? 'delayed' : 'failed', failed, senders)
    const original = mail.original()
    return { kind: isDelay ? 'delay' : 'bounce', recipients: withOriginalTo(recipients, original), original }
  }
  return isAutomatic(mail) ? { kind: 'auto-reply' } : { kind: 'other' }
}

/** Where the notice names nobody, the returned message does, if it had one recipient. */
function withOriginalTo(
  recipients: readonly ReportedRecipient[],
  original: OriginalHeaders | undefined,
): readonly ReportedRecipient[] {
  const [only, ...others] = recipients
  const to = original?.envelopeRecipient ?? (original?.to.length === 1 ? original.to[0] : undefined)
  if (to === undefined || others.length > 0 || only?.recipient !== undefined) return recipients
  return [{ action: 'failed', ...only, recipient: to }]
}

/** Those to whom and from whom the notice came: it names them, and they did not fail. */
function addressesOf({ outline }: OpenMail): ReadonlySet<string> {
  const fields = ['from', 'to', 'reply-to', 'sender', 'return-path', 'delivered-to']
  const values = fields.flatMap((name) => addressesIn(firstValue(outline.header, name) ?? '', 10))
  return new Set(values.map((address) => address.toLowerCase()))
}

/** RFC 3834 §5, and what hosts wrote before it. */
function isAutomatic({ outline: { header } }: OpenMail): boolean {
  const submitted = firstValue(header, 'auto-submitted')?.toLowerCase() ?? 'no'
  const precedence = firstValue(header, 'precedence')?.toLowerCase() ?? ''
  return (
    !submitted.startsWith('no') ||
    /auto[_-]reply|junk/.test(precedence) ||
    [
      'x-autoreply',
      'x-autorespond',
      'x-auto-reply',
      'x-autoresponder',
      'x-vacation',
      'x-mail-autoreply',
    ].some((name) => firstValue(header, name) !== undefined)
  )
}
