import { addressesIn } from './find-addresses.ts'
import type { OriginalHeaders } from './original-headers.ts'
import { firstValue, type ReadField } from './read-header.ts'
import { oneLine } from './reported-recipient.ts'

/** RFC 5965 §7.3, RFC 6591 §3.1 (auth-failure), RFC 6430 (not-spam). A type nobody registered reads as `other`. */
export type FeedbackType = 'abuse' | 'fraud' | 'virus' | 'not-spam' | 'opt-out' | 'auth-failure' | 'other'

export interface ComplaintReport {
  readonly feedbackType: FeedbackType
  /** Every Original-Rcpt-To and Removal-Recipient; empty, or a text without `@`, where the provider redacts. */
  readonly recipients: readonly string[]
  readonly originalMailFrom: string | undefined
  readonly reportedDomains: readonly string[]
  readonly sourceIp: string | undefined
  /** As written (RFC 5322 date-time). */
  readonly arrivalDate: string | undefined
  readonly userAgent: string | undefined
  readonly original: OriginalHeaders | undefined
}

const MOST_RECIPIENTS = 1_000
const TYPES: ReadonlySet<string> = new Set<FeedbackType>([
  'abuse',
  'fraud',
  'virus',
  'not-spam',
  'opt-out',
  'auth-failure',
])

function isFeedbackType(text: string): text is FeedbackType {
  return TYPES.has(text)
}

/** Reads the fields of a message/feedback-report (RFC 5965 §3.1, §3.2), as `readHeader` gives them. Some hosts write
 *  `Original-Rcpt-To:` with brackets or a type before the address; both go. */
export function readFeedbackReport(
  fields: readonly ReadField[],
  original: OriginalHeaders | undefined,
): ComplaintReport {
  const all = (name: string) =>
    fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value)
  const text = (name: string) => {
    const value = oneLine(firstValue(fields, name) ?? '', 320)
    return value === '' ? undefined : value
  }
  const type = (text('feedback-type') ?? '').toLowerCase()
  const written = [...all('original-rcpt-to'), ...all('removal-recipient')].slice(0, MOST_RECIPIENTS)
  return {
    feedbackType: isFeedbackType(type) ? type : type.startsWith('auth') ? 'auth-failure' : 'other',
    recipients: written.map((value) => addressesIn(value, 1)[0] ?? oneLine(value, 320)),
    originalMailFrom: addressesIn(firstValue(fields, 'original-mail-from') ?? '', 1)[0],
    reportedDomains: all('reported-domain')
      .slice(0, 100)
      .map((value) => oneLine(value, 255)),
    sourceIp: text('source-ip'),
    arrivalDate: text('arrival-date') ?? text('received-date'),
    userAgent: text('user-agent'),
    original,
  }
}

/** A complaint that has no feedback-report part. */
export function plainComplaint(
  original: OriginalHeaders | undefined,
  more: { readonly sourceIp?: string; readonly recipient?: string; readonly feedbackType?: FeedbackType },
): ComplaintReport {
  const recipient = more.recipient ?? original?.envelopeRecipient
  return {
    feedbackType: more.feedbackType ?? 'abuse',
    recipients: recipient === undefined ? [] : [recipient],
    originalMailFrom: original?.returnPath,
    reportedDomains: [],
    sourceIp: more.sourceIp,
    arrivalDate: undefined,
    userAgent: undefined,
    original,
  }
}
