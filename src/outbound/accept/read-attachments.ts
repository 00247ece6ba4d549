import type { Attachment } from '#model/draft.ts'
import type { Refusal } from '#model/refusal.ts'
import { isMediaType } from '#protocol/media-type.ts'
import { lineFlaw } from './line-flaw.ts'
import { type AttachmentField, type FieldNames, REST_NAMES } from './submission.ts'

export const MOST_ATTACHMENTS = 32
const LONGEST_FILENAME = 255

/** What a `cid:` URI can name without escapes (RFC 2392), without the angle brackets. */
const CONTENT_ID = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~@-]{1,200}$/
/** RFC 4648 §4, padded, without line ends. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Attachments and inline images (example-attachments.md). */
export function readAttachments(
  fields: readonly AttachmentField[],
  names: FieldNames = REST_NAMES,
): { readonly attachments: readonly Attachment[] } | Refusal {
  if (fields.length > MOST_ATTACHMENTS) {
    const detail = `${fields.length} attachments; ${MOST_ATTACHMENTS} is the most.`
    return { kind: 'too-many-attachments', pointer: '/attachments', detail }
  }
  const attachments: Attachment[] = []
  const contentIds = new Set<string>()
  for (const field of fields) {
    const attachment = readAttachment(field, names)
    if ('kind' in attachment) return attachment
    const { contentId } = attachment
    if (contentId !== undefined && contentIds.has(contentId)) {
      // RFC 2045 §7: a content id names one part.
      const detail = `Another attachment has the content id '${contentId}' already; each must have its own.`
      return { kind: 'field-invalid', pointer: `${field.pointer}/${names.contentId}`, detail }
    }
    if (contentId !== undefined) contentIds.add(contentId)
    attachments.push(attachment)
  }
  return { attachments }
}

function readAttachment(field: AttachmentField, names: FieldNames): Attachment | Refusal {
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
  if (!isMediaType(field.type)) {
    return invalid('type', "'type' must be a media type such as application/pdf or text/csv; charset=utf-8.")
  }
  const flaw = structureFlaw(field)
  if (flaw) return invalid('type', flaw)
  const contentId = field.contentId?.replace(/^<(.*)>$/, '$1') || undefined
  if (contentId !== undefined && !CONTENT_ID.test(contentId)) {
    return invalid(
      names.contentId,
      "The content id must be 1 to 200 characters of letters, digits and .!#$%&'*+/=?^_`{|}~@-",
    )
  }
  if (field.disposition === 'inline' && contentId === undefined) {
    return {
      ...invalid(names.contentId, 'An inline attachment needs a content id, which the HTML names as cid:…'),
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

/** A multipart, or a message that is shown in place or stands for another (RFC 2046 §5.2.2, §5.2.3), would change the
 *  structure of the whole; a message that is attached is a file. */
function structureFlaw({ type, disposition }: AttachmentField): string | undefined {
  if (/^message\/rfc822(?:[ \t]*;|$)/i.test(type)) {
    return disposition === 'attachment' ? undefined : `'${type}' must have the disposition 'attachment'.`
  }
  return /^(?:multipart|message)\//i.test(type)
    ? `'${type}' cannot be attached; use application/octet-stream.`
    : undefined
}

function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined
  return Buffer.from(text, 'base64')
}
