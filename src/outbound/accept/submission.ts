/** What a structured door (REST, the Workers binding) hands in: shapes checked, values not. Each value carries the JSON
 *  pointer that its sender knows it by, so that a refusal can name it in the door's own spelling. */
export interface Fields {
  readonly kind: 'fields'
  readonly from: AddressField
  readonly to: readonly AddressField[]
  readonly cc: readonly AddressField[]
  readonly bcc: readonly AddressField[]
  readonly replyTo?: AddressField
  readonly subject: string
  readonly text?: string
  readonly html?: string
  readonly attachments: readonly AttachmentField[]
  readonly headers: Readonly<Record<string, string>>
  /** What the door calls these fields where a refusal has to name one by itself; REST's names where it does not say. */
  readonly names?: FieldNames
}

export interface FieldNames {
  readonly replyTo: string
  readonly contentId: string
}

export const REST_NAMES: FieldNames = { replyTo: 'reply_to', contentId: 'content_id' }

export interface AddressField {
  readonly address: string
  readonly name?: string | null
  readonly pointer: string
  readonly namePointer?: string
}

export interface AttachmentField {
  /** Base64 in a string, or the bytes. */
  readonly content: string | Uint8Array
  readonly filename: string
  readonly type: string
  readonly disposition: 'attachment' | 'inline'
  readonly contentId?: string | null
  readonly pointer: string
}

/** What a raw door (send_raw, SMTP, EmailMessage) hands in: an envelope and a message. */
export interface Raw {
  readonly kind: 'raw'
  readonly from: AddressField
  readonly recipients: readonly AddressField[]
  readonly mime: Buffer
  /** Where a refusal of the content points, e.g. `/mime_message`. */
  readonly mimePointer: string
}
