/** Every expected reason not to take a message. Each door has one table from `kind` to its wire
 *  (REST code, `E_…` name, SMTP reply); the compiler checks that the tables are complete.
 *  `pointer` is a JSON pointer (RFC 6901) into the request, `detail` a sentence for the person who wrote it:
 *  what was wrong and what would be right. */
export type Refusal = {
  readonly detail: string
  readonly pointer?: string
  /** When the same request may be taken. */
  readonly retryAfterMs?: number
} & (
  | { readonly kind: 'field-missing' }
  | { readonly kind: 'field-invalid' }
  | { readonly kind: 'too-many-recipients' }
  | { readonly kind: 'too-many-attachments' }
  | { readonly kind: 'header-not-allowed' }
  | { readonly kind: 'header-use-api-field' }
  | { readonly kind: 'header-value-invalid' }
  | { readonly kind: 'header-value-too-long' }
  | { readonly kind: 'header-name-invalid' }
  | { readonly kind: 'headers-too-large' }
  | { readonly kind: 'headers-too-many' }
  | { readonly kind: 'content-invalid' }
  | { readonly kind: 'message-too-large' }
  | { readonly kind: 'sender-domain-not-available' }
  | { readonly kind: 'sender-not-verified' }
  | { readonly kind: 'recipient-not-allowed' }
  | { readonly kind: 'recipient-suppressed' }
  | { readonly kind: 'sending-disabled' }
  | { readonly kind: 'account-not-entitled' }
  | { readonly kind: 'rate-limited' }
  | { readonly kind: 'daily-limit-exceeded' }
  | { readonly kind: 'idempotency-key-reused' }
)

export type RefusalKind = Refusal['kind']
