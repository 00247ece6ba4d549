import { decodeWords } from './encoded-word.ts'
import { addressesIn } from './find-addresses.ts'
import { firstValue, type ReadField, readHeader } from './read-header.ts'
import { oneLine } from './reported-recipient.ts'

/** What a report gives back of the header of the message it is about; enough to find that message. Nothing in it is
 *  proven: whoever sent the report wrote it. */
export interface OriginalHeaders {
  /** With its angle brackets. */
  readonly messageId: string | undefined
  readonly from: string | undefined
  /** Addresses of To, as they were written. */
  readonly to: readonly string[]
  readonly subject: string | undefined
  /** Envelope sender, where the last host wrote it down. */
  readonly returnPath: string | undefined
  readonly feedbackId: string | undefined
  /** RFC 9477 §3.2 */
  readonly cfblFeedbackId: string | undefined
  /** The recipient that the provider itself names: Microsoft's and Yahoo's complaints do. */
  readonly envelopeRecipient: string | undefined
}

const LIMITS = { fields: 400, bytes: 128 * 1024 }
const MOST_TO = 20

/** Fields in which hosts write the recipient of the envelope. */
const ENVELOPE_RECIPIENT = [
  'x-hmxmroriginalrecipient',
  'x-apparently-to',
  'x-envelope-to',
  'x-original-to',
  'x-rcpt-to',
  'envelope-to',
  'delivered-to',
] as const

/** Reads the header that a text starts with; undefined where none of its fields is known here. */
export function readOriginalHeaders(source: Buffer): OriginalHeaders | undefined {
  return originalHeadersOf(readHeader(source, 0, LIMITS).fields)
}

function originalHeadersOf(fields: readonly ReadField[]): OriginalHeaders | undefined {
  const text = (name: string) => {
    const value = firstValue(fields, name)
    return value === undefined || value === '' ? undefined : oneLine(decodeWords(value.slice(0, 2_000)), 998)
  }
  const address = (name: string) => addressesIn(firstValue(fields, name) ?? '', 1)[0]
  const recipientField = ENVELOPE_RECIPIENT.find((name) => address(name) !== undefined)
  const original: OriginalHeaders = {
    messageId: /<[^<>\s]{1,990}>/.exec(firstValue(fields, 'message-id') ?? '')?.[0] ?? text('message-id'),
    from: address('from'),
    to: addressesIn(firstValue(fields, 'to') ?? '', MOST_TO),
    subject: text('subject'),
    returnPath: address('return-path') ?? address('x-envelope-from'),
    feedbackId: text('feedback-id'),
    cfblFeedbackId: text('cfbl-feedback-id'),
    envelopeRecipient: recipientField === undefined ? undefined : address(recipientField),
  }
  const { to, ...others } = original
  return to.length > 0 || Object.values(others).some((value) => value !== undefined) ? original : undefined
}
