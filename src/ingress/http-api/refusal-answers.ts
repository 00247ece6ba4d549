import type { ApiError } from '#contract/envelope.ts'
import type { Refusal, RefusalKind } from '#model/refusal.ts'

/** A refusal's wire on this door: HTTP status, the numeric code and message of sending-rest-api.md, and the name that
 *  the Workers binding has for the same thing (sending-workers-api.md), which `error_chain` carries. */
interface Answer {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly name: string
}

const schema = { status: 400, code: 10001, message: 'email.sending.error.invalid_request_schema' }
const invalid = { status: 400, code: 10202, message: 'email.sending.error.email.invalid' }
const notConfigured = { status: 403, code: 10204, message: 'email.sending.error.email.sender_not_configured' }
const throttled = { status: 429, code: 10004, message: 'email.sending.error.throttled' }

const ANSWERS = {
  'field-missing': { ...schema, name: 'E_FIELD_MISSING' },
  'field-invalid': { ...schema, name: 'E_VALIDATION_ERROR' },
  'too-many-recipients': { ...schema, name: 'E_TOO_MANY_RECIPIENTS' },
  'too-many-attachments': { ...schema, name: 'E_TOO_MANY_ATTACHMENTS' },
  'header-not-allowed': { ...schema, name: 'E_HEADER_NOT_ALLOWED' },
  'header-use-api-field': { ...schema, name: 'E_HEADER_USE_API_FIELD' },
  'header-value-invalid': { ...schema, name: 'E_HEADER_VALUE_INVALID' },
  'header-value-too-long': { ...schema, name: 'E_HEADER_VALUE_TOO_LONG' },
  'header-name-invalid': { ...schema, name: 'E_HEADER_NAME_INVALID' },
  'headers-too-large': { ...schema, name: 'E_HEADERS_TOO_LARGE' },
  'headers-too-many': { ...schema, name: 'E_HEADERS_TOO_MANY' },
  'content-invalid': { ...invalid, name: 'E_VALIDATION_ERROR' },
  'message-too-large': {
    status: 400,
    code: 10200,
    message: 'email.sending.error.email.too_big',
    name: 'E_CONTENT_TOO_LARGE',
  },
  'sender-domain-not-available': { ...notConfigured, name: 'E_SENDER_DOMAIN_NOT_AVAILABLE' },
  'sender-not-verified': { ...notConfigured, name: 'E_SENDER_NOT_VERIFIED' },
  'recipient-not-allowed': { ...invalid, name: 'E_RECIPIENT_NOT_ALLOWED' },
  'recipient-suppressed': { ...invalid, name: 'E_RECIPIENT_SUPPRESSED' },
  'sending-disabled': {
    status: 403,
    code: 10203,
    message: 'email.sending.error.email.sending_disabled',
    name: 'E_SENDER_DOMAIN_NOT_AVAILABLE',
  },
  'account-not-entitled': {
    status: 403,
    code: 10105,
    message: 'email.sending.error.authentication.not_entitled',
    name: 'E_SENDER_DOMAIN_NOT_AVAILABLE',
  },
  'rate-limited': { ...throttled, name: 'E_RATE_LIMIT_EXCEEDED' },
  'daily-limit-exceeded': { ...throttled, name: 'E_DAILY_LIMIT_EXCEEDED' },
  // The original has no idempotency key; its clients choose by the status alone.
  'idempotency-key-reused': {
    status: 409,
    code: 10205,
    message: 'email.sending.error.idempotency_key_reused',
    name: 'E_VALIDATION_ERROR',
  },
} as const satisfies Record<RefusalKind, Answer>

export function answerRefusal(refusal: Refusal): { readonly status: number; readonly error: ApiError } {
  const { status, code, message, name } = ANSWERS[refusal.kind]
  const error = { code, message, error_chain: [{ code, message: refusal.detail, name }] }
  return {
    status,
    error: refusal.pointer === undefined ? error : { ...error, source: { pointer: refusal.pointer } },
  }
}

/** What the door itself refuses, before the pipeline sees the request (sending-rest-api.md). */
export const DOOR = {
  unauthorized: [401, 10101, 'email.sending.error.authentication.unauthorized'],
  badTokenType: [401, 10103, 'email.sending.error.authentication.bad_token_type'],
  forbidden: [403, 10102, 'email.sending.error.authentication.forbidden'],
  notFound: [404, 10000, 'email.sending.error.not_found'],
  noRoute: [404, 7003, 'Could not route to this path, perhaps your object identifier is invalid?'],
  invalidSchema: [400, 10001, schema.message],
  tooBig: [400, 10200, 'email.sending.error.email.too_big'],
  noContentLength: [400, 10201, 'email.sending.error.email.no_content_length'],
  misdirected: [421, 10001, 'Misdirected request'],
  foreignOrigin: [403, 10102, 'Cross-site request refused'],
  overloaded: [429, 10004, throttled.message],
  internal: [500, 10002, 'email.sending.error.internal_server'],
  authenticationUnavailable: [503, 10100, 'email.sending.error.authentication.upstream'],
} as const satisfies Record<string, readonly [status: number, code: number, message: string]>
