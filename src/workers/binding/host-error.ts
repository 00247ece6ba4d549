import type { Refusal, RefusalKind } from '#model/refusal.ts'
import type { HostError } from '#workers/runtime/host-services.ts'

/** A refusal's wire in a Worker: the code of the error that is thrown (sending-workers-api.md). */
const CODES = {
  'field-missing': 'E_FIELD_MISSING',
  'field-invalid': 'E_VALIDATION_ERROR',
  'too-many-recipients': 'E_TOO_MANY_RECIPIENTS',
  'too-many-attachments': 'E_TOO_MANY_ATTACHMENTS',
  'header-not-allowed': 'E_HEADER_NOT_ALLOWED',
  'header-use-api-field': 'E_HEADER_USE_API_FIELD',
  'header-value-invalid': 'E_HEADER_VALUE_INVALID',
  'header-value-too-long': 'E_HEADER_VALUE_TOO_LONG',
  'header-name-invalid': 'E_HEADER_NAME_INVALID',
  'headers-too-large': 'E_HEADERS_TOO_LARGE',
  'headers-too-many': 'E_HEADERS_TOO_MANY',
  'content-invalid': 'E_VALIDATION_ERROR',
  'message-too-large': 'E_CONTENT_TOO_LARGE',
  'sender-domain-not-available': 'E_SENDER_DOMAIN_NOT_AVAILABLE',
  'sender-not-verified': 'E_SENDER_NOT_VERIFIED',
  'recipient-not-allowed': 'E_RECIPIENT_NOT_ALLOWED',
  'recipient-suppressed': 'E_RECIPIENT_SUPPRESSED',
  'sending-disabled': 'E_SENDER_DOMAIN_NOT_AVAILABLE',
  'account-not-entitled': 'E_SENDER_DOMAIN_NOT_AVAILABLE',
  'rate-limited': 'E_RATE_LIMIT_EXCEEDED',
  'daily-limit-exceeded': 'E_DAILY_LIMIT_EXCEEDED',
  'idempotency-key-reused': 'E_VALIDATION_ERROR',
} as const satisfies Record<RefusalKind, string>

/** The message names the field, as a Worker would write it: `attachments[0].content`. */
export function hostErrorOf({ kind, detail: given, pointer = '' }: Refusal): HostError {
  const code = CODES[kind]
  // The parser of addresses shows a named one as the REST API has it.
  const detail = given.replace('{"address":', '{"email":')
  const path = pathOf(pointer)
  // What is wrong with a header is told in the page's own sentences, which name it.
  const isNamed = path === '' || kind.startsWith('header') || detail.includes(`'${path}'`)
  return { code, message: isNamed ? detail : `${path}: ${detail}` }
}

/** A JSON pointer (RFC 6901) in the spelling of JavaScript. */
function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, depth) => (/^\d+$/.test(part) ? `[${part}]` : depth === 0 ? part : `.${part}`))
    .join('')
}
