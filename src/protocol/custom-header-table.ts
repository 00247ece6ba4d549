import type { Refusal } from '#model/refusal.ts'
import { withoutControls } from './fold.ts'
import { isAscii, trimWhiteSpace } from './header-block.ts'
import {
  anyText,
  archivedAt,
  type FormatCheck,
  hasHttpsUri,
  languageTags,
  listId,
  messageIds,
  oneClick,
  oneOf,
  recipientValidSince,
  unsubscribeUris,
  uriList,
  uriListOrNo,
} from './header-formats.ts'

/** What a customer may do with a header: the one table behind the `headers` field, raw messages and SMTP. */
export type HeaderRule =
  /** May be set. RFC 2047 can carry free text that is not ASCII, and the phrase before an angle bracket (`phrase`). */
  | {
      readonly kind: 'allowed'
      readonly name: string
      readonly content: HeaderContent
      readonly check: FormatCheck
    }
  /** An X- header: may be set, any text, its own casing. */
  | { readonly kind: 'extension' }
  /** The platform writes it. */
  | { readonly kind: 'platform' }
  /** A field of the API stands for it. */
  | { readonly kind: 'api-field'; readonly field: string }
  | { readonly kind: 'unlisted' }

type HeaderContent = 'text' | 'phrase' | 'structured'

export const HEADER_LIMITS = {
  allowlisted: 20,
  nameBytes: 100,
  valueBytes: 2048,
  totalBytes: 16 * 1024,
} as const

const ALLOWED: readonly (readonly [name: string, content: HeaderContent, check: FormatCheck])[] = [
  ['In-Reply-To', 'structured', messageIds],
  ['References', 'structured', messageIds],
  ['List-Unsubscribe', 'structured', unsubscribeUris],
  ['List-Unsubscribe-Post', 'structured', oneClick],
  ['List-Id', 'phrase', listId],
  ['List-Archive', 'structured', uriList],
  ['List-Help', 'structured', uriList],
  ['List-Owner', 'structured', uriList],
  ['List-Post', 'structured', uriListOrNo],
  ['List-Subscribe', 'structured', uriList],
  ['Precedence', 'structured', oneOf('bulk', 'list', 'junk')],
  ['Auto-Submitted', 'structured', oneOf('auto-generated', 'auto-replied', 'auto-notified')],
  ['Content-Language', 'structured', languageTags],
  ['Keywords', 'text', anyText],
  ['Comments', 'text', anyText],
  ['Importance', 'structured', oneOf('high', 'normal', 'low')],
  ['Sensitivity', 'structured', oneOf('personal', 'private', 'company-confidential')],
  ['Organization', 'text', anyText],
  ['Require-Recipient-Valid-Since', 'structured', recipientValidSince],
  ['Archived-At', 'structured', archivedAt],
]

const PLATFORM = [
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'DKIM-Signature',
  'Return-Path',
  'Received',
  'Feedback-ID',
  'TLS-Required',
  'TLS-Report-Domain',
  'TLS-Report-Submitter',
  'CFBL-Address',
  'CFBL-Feedback-ID',
]

const API_FIELDS = [
  ['From', 'from'],
  ['To', 'to'],
  ['Cc', 'cc'],
  ['Bcc', 'bcc'],
  ['Subject', 'subject'],
  ['Reply-To', 'reply_to'],
] as const

const RULES = new Map<string, HeaderRule>([
  ...ALLOWED.map(([name, content, check]): [string, HeaderRule] => [
    name.toLowerCase(),
    { kind: 'allowed', name, content, check },
  ]),
  ...PLATFORM.map((name): [string, HeaderRule] => [name.toLowerCase(), { kind: 'platform' }]),
  ...API_FIELDS.map(([name, field]): [string, HeaderRule] => [
    name.toLowerCase(),
    { kind: 'api-field', field },
  ]),
])

/** The rule for a header name in any case (RFC 5322 §2.2). */
export function headerRule(name: string): HeaderRule {
  const key = name.toLowerCase()
  const rule = RULES.get(key)
  if (rule) return rule
  if (key.startsWith('arc-')) return { kind: 'platform' }
  return isExtensionName(name) ? { kind: 'extension' } : { kind: 'unlisted' }
}

/** Header names are ASCII without spaces and colons; underscores in X- headers only. */
export function isHeaderName(name: string): boolean {
  return /^x-/i.test(name) ? isExtensionName(name) : /^[A-Za-z0-9-]+$/.test(name)
}

function isExtensionName(name: string): boolean {
  return /^x-[A-Za-z0-9_-]+$/i.test(name)
}

/** Why the value of an allowed or X- header cannot stand. In: the name as it will be written, the value unfolded but
 *  otherwise as its author gave it, white space around it included, and the message's List-Unsubscribe, which
 *  List-Unsubscribe-Post needs. */
export function checkHeaderValue(
  rule: HeaderRule & { kind: 'allowed' | 'extension' },
  name: string,
  value: string,
  listUnsubscribe: string | undefined,
): Refusal | undefined {
  if (Buffer.byteLength(value) > HEADER_LIMITS.valueBytes) {
    const detail = `Header '${name}' value exceeds ${HEADER_LIMITS.valueBytes} byte limit.`
    return { kind: 'header-value-too-long', detail }
  }
  const flaw = valueFlaw(rule, trimWhiteSpace(value), listUnsubscribe)
  return flaw === undefined ? undefined : { kind: 'header-value-invalid', detail: `Header '${name}' ${flaw}` }
}

function valueFlaw(
  rule: HeaderRule & { kind: 'allowed' | 'extension' },
  value: string,
  listUnsubscribe: string | undefined,
): string | undefined {
  if (value === '') return 'must not be empty.'
  if (withoutControls(value) !== value) return 'must not contain line breaks, control characters or NUL.'
  if (!value.isWellFormed()) return 'must be valid UTF-8.'
  if (rule.kind === 'extension') return undefined
  if (rule.content === 'structured' && !isAscii(value)) return 'must be ASCII.'
  const flaw = rule.check(value)
  if (flaw !== undefined || rule.name !== 'List-Unsubscribe-Post') return flaw
  return listUnsubscribe !== undefined && hasHttpsUri(listUnsubscribe)
    ? undefined
    : 'requires a List-Unsubscribe header with an HTTPS URI.'
}

/** Why so many custom headers cannot stand together: `allowlisted` counts those that are not X-, `bytes` sums name,
 *  value and the four octets between and after them (": " and CRLF) over all. */
export function checkHeaderTotals(allowlisted: number, bytes: number): Refusal | undefined {
  if (allowlisted > HEADER_LIMITS.allowlisted) {
    const detail = `${allowlisted} allowlisted headers provided, maximum is ${HEADER_LIMITS.allowlisted}.`
    return { kind: 'headers-too-many', detail }
  }
  if (bytes <= HEADER_LIMITS.totalBytes) return undefined
  // Rounded up, so that the figure is never the limit itself.
  const kilobytes = (Math.ceil(bytes / 102.4) / 10).toFixed(1)
  const detail = `Total custom headers payload (${kilobytes}KB) exceeds ${HEADER_LIMITS.totalBytes / 1024}KB limit.`
  return { kind: 'headers-too-large', detail }
}

/** What one custom header adds to the payload; the value as its author gave it. */
export function headerBytes(name: string, value: string): number {
  return name.length + 2 + Buffer.byteLength(value) + 2
}
