import type { Attachment } from '#model/draft.ts'
import type { Refusal } from '#model/refusal.ts'
import { lineFlaw } from './line-flaw.ts'
import type { AttachmentField } from './submission.ts'

const MOST_ATTACHMENTS = 32
const LONGEST_FILENAME = 255

/** RFC 2045 §5.1 type and subtype, RFC 6838 §4.2 restricted names; no parameters. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/
/** What a `cid:` URI can name without escapes (RFC 2392), without the angle brackets. */
const CONTENT_ID = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~@-]{1,200}$/
/** RFC 4648 §4, padded, without line ends. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Attachments and inline images (example-attachments.md). */
export function readAttachments(
  fields: readonly AttachmentField[],
): { readonly attachments: readonly Attachment[] } | Refusal {
  if (fields.length > MOST_ATTACHMENTS) {
    const detail = `${fields.length} attachments; ${MOST_ATTACHMENTS} is the most.`
    return { kind: 'too-many-attachments', pointer: '/attachments', detail }
  }
  const attachments: Attachment[] = []
  for (const field of fields) {
    const attachment = readAttachment(field)
    if ('kind' in attachment) return attachment
    attachments.push(attachment)
  }
  return { attachments }
}

function readAttachment(field: AttachmentField): Attachment | Refusal {
  const invalid = (name: string, detail: string): Refusal => ({
    kind: 'field-invalid',
    pointer: `${field.pointer}/${name}`,
    detail,
  })
  const filenameFlaw =
    field.filename === ''
      ? 'is empty'
      : Buffer.byteLength(field.filename) > LONGEST_FILENAME
        ? `is longer than ${LONGEST_FILENAME} bytes`
        : lineFlaw(field.filename)
  if (filenameFlaw) return invalid('filename', `The filename ${filenameFlaw}.`)
  if (!MEDIA_TYPE.test(field.type)) {
    return invalid('type', "'type' must be a media type such as application/pdf, without parameters.")
  }
  // A part that claims to be a multipart or a message would change the structure of the whole.
  if (/^(multipart|message)\//i.test(field.type)) {
    return invalid('type', `'${field.type}' cannot be attached; use application/octet-stream.`)
  }
  const contentId = field.contentId?.replace(/^<(.*)>$/, '$1') || undefined
  if (contentId !== undefined && !CONTENT_ID.test(contentId)) {
    return invalid(
      'content_id',
      "The content id must be 1 to 200 characters of letters, digits and .!#$%&'*+/=?^_`{|}~@-",
    )
  }
  if (field.disposition === 'inline' && contentId === undefined) {
    return {
      ...invalid('content_id', 'An inline attachment needs a content id, which the HTML names as cid:…'),
      kind: 'field-missing',
    }
  }
  const content = typeof field.content === 'string' ? decodeBase64(field.content) : Buffer.from(field.content)
  if (!content)
    return invalid(
      'content',
      'The content must be base64 (RFC 4648 §4: A–Z a–z 0–9 + /, padded with =, no line breaks).',
    )
  return {
    content,
    filename: field.filename,
    type: field.type,
    disposition: field.disposition,
    ...(contentId !== undefined && { contentId }),
  }
}

function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined
  return Buffer.from(text, 'base64')
}
