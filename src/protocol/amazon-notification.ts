import { type ComplaintReport, plainComplaint } from './feedback-report.ts'
import type { OriginalHeaders } from './original-headers.ts'
import { oneLine, phaseIn, type ReportedRecipient, replyCodeIn, statusIn } from './reported-recipient.ts'

/** What Amazon SES tells by SNS in a mail whose text is JSON. */
export type AmazonNotification =
  | { readonly kind: 'bounce' | 'delay' | 'delivered'; readonly recipients: readonly ReportedRecipient[] }
  | { readonly kind: 'complaint'; readonly reports: readonly ComplaintReport[] }

const MOST_RECIPIENTS = 100
const MAX_TEXT = 512 * 1024

/** Reads the notification that a text starts with; undefined where it starts with none. SNS puts a footer below the
 *  JSON, and a mail host on the way may have folded its only line. */
export function readAmazonNotification(
  text: string,
): (AmazonNotification & { readonly original: OriginalHeaders | undefined }) | undefined {
  const trimmed = text.slice(0, MAX_TEXT).trimStart()
  if (!trimmed.startsWith('{')) return undefined
  const footer = /\r?\n--[ \t]*\r?\n/.exec(trimmed)
  const json = (footer ? trimmed.slice(0, footer.index) : trimmed).replaceAll(/\r?\n ?/g, '')
  const outer = parseObject(json)
  const inner = outer?.['Message']
  const event = typeof inner === 'string' ? parseObject(inner) : outer
  if (!event) return undefined
  const original = originalOf(objectAt(event, 'mail'))
  switch (textAt(event, 'notificationType') ?? textAt(event, 'eventType')) {
    case 'Bounce':
      return {
        kind: 'bounce',
        recipients: recipientsOf(objectAt(event, 'bounce'), 'bouncedRecipients'),
        original,
      }
    case 'DeliveryDelay':
      return {
        kind: 'delay',
        recipients: recipientsOf(objectAt(event, 'deliveryDelay'), 'delayedRecipients'),
        original,
      }
    case 'Delivery':
      return { kind: 'delivered', recipients: [], original }
    case 'Complaint':
      return { kind: 'complaint', reports: complaintsOf(objectAt(event, 'complaint'), original), original }
    default:
      return undefined
  }
}

function recipientsOf(bounce: JsonObject | undefined, list: string): ReportedRecipient[] {
  return listAt(bounce, list).map((each) => {
    const recipient = textAt(each, 'emailAddress')
    const diagnostic = oneLine(
      (
        textAt(each, 'diagnosticCode') ??
        `${textAt(bounce, 'bounceType') ?? ''} ${textAt(bounce, 'bounceSubType') ?? ''}`
      ).replace(/^\s*[A-Za-z-]{1,20};/, ''),
    )
    const status = textAt(each, 'status') ?? statusIn(diagnostic)
    const replyCode = replyCodeIn(diagnostic)
    const phase = phaseIn(diagnostic)
    return {
      ...(recipient !== undefined && { recipient: oneLine(recipient, 320) }),
      action: list === 'delayedRecipients' ? 'delayed' : 'failed',
      ...(status !== undefined && { status: oneLine(status, 20) }),
      ...(replyCode !== undefined && { replyCode }),
      ...(phase !== undefined && { phase }),
      ...(diagnostic !== '' && { diagnostic }),
    }
  })
}

function complaintsOf(
  complaint: JsonObject | undefined,
  original: OriginalHeaders | undefined,
): ComplaintReport[] {
  const type = textAt(complaint, 'complaintFeedbackType')
  const recipients = listAt(complaint, 'complainedRecipients').flatMap(
    (each) => textAt(each, 'emailAddress') ?? [],
  )
  const report = plainComplaint(original, {
    feedbackType:
      type === 'abuse' || type === undefined ? 'abuse' : type === 'not-spam' ? 'not-spam' : 'other',
  })
  return [
    {
      ...report,
      recipients: recipients.length > 0 ? recipients.map((each) => oneLine(each, 320)) : report.recipients,
    },
  ]
}

function originalOf(mail: JsonObject | undefined): OriginalHeaders | undefined {
  if (!mail) return undefined
  const common = objectAt(mail, 'commonHeaders')
  const list = (name: string) => {
    const value = common?.[name]
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string').slice(0, 20) : []
  }
  const header = (name: string) =>
    listAt(mail, 'headers')
      .filter((each) => textAt(each, 'name')?.toLowerCase() === name)
      .map((each) => textAt(each, 'value'))[0]
  return {
    messageId: header('message-id') ?? textAt(common, 'messageId'),
    from: list('from')[0],
    to: list('to'),
    subject: textAt(common, 'subject'),
    returnPath: textAt(mail, 'source'),
    feedbackId: header('feedback-id'),
    cfblFeedbackId: header('cfbl-feedback-id'),
    envelopeRecipient: undefined,
  }
}

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    // A SyntaxError, or a RangeError for nesting without end: not what SES writes.
    return undefined
  }
}

function objectAt(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name]
  return isObject(value) ? value : undefined
}

function textAt(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name]
  return typeof value === 'string' && value !== '' ? value.slice(0, 2_000) : undefined
}

function listAt(object: JsonObject | undefined, name: string): JsonObject[] {
  const value = object?.[name]
  return Array.isArray(value) ? value.slice(0, MOST_RECIPIENTS).filter(isObject) : []
}
