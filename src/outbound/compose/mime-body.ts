import { isAscii } from 'node:buffer'
import { hash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { Attachment, Draft } from '#model/draft.ts'
import { withoutControls } from '#protocol/fold.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { normaliseLineEnds } from '#protocol/line-ends.ts'
import { isMediaType } from '#protocol/media-type.ts'
import { encodeTextPart, hasLongLine, withCrlf } from './text-part.ts'

/** The MIME side of a message: its Content-* fields, each with its CRLF, and the body that they describe. */
export interface MimeBody {
  readonly fields: string
  readonly body: Buffer
}

/** Text, HTML or both, without attachments: most mail there is. Written directly, because building MailComposer's tree
 *  and streaming it costs 200 µs for a page of text, nearly as much as the RSA signature, and this 20 µs. */
export function textBody(text: string | undefined, html: string | undefined, seed: string): MimeBody {
  if (text === undefined || html === undefined) {
    const part = html === undefined ? encodeTextPart('plain', text ?? '') : encodeTextPart('html', html)
    return { fields: part.fields, body: part.body }
  }
  const boundary = `--=_${boundaryFrom(seed)}`
  const parts = [encodeTextPart('plain', text), encodeTextPart('html', html)]
  const chunks = parts.flatMap(({ fields, body }) => [latin1(`--${boundary}\r\n${fields}\r\n`), body])
  return {
    fields: `Content-Type: multipart/alternative; boundary="${boundary}"\r\n`,
    body: Buffer.concat([...chunks, latin1(`--${boundary}--\r\n`)]),
  }
}

/** A message with attachments: mixed around related around alternative, as far as each is needed. MailComposer builds
 *  it; its header block is thrown away but for Content-*, so that the fields of the message are ours alone. */
export async function attachmentBody(draft: Draft, seed: string): Promise<MimeBody> {
  const composer = new MailComposer({
    ...(draft.text === undefined ? {} : { text: withCrlf(draft.text.toWellFormed()) }),
    ...(draft.html === undefined ? {} : { html: withCrlf(draft.html.toWellFormed()) }),
    attachments: draft.attachments.map((attachment) => toPart(attachment)),
    baseBoundary: boundaryFrom(seed),
    boundaryPrefix: '--=_',
    disableFileAccess: true,
    disableUrlAccess: true,
    // Asks for nothing at random; thrown away with the rest of its header.
    messageId: '<unused@localhost>',
  })
  // `newline: 'win'` would do the same in a transform of its own, at ten times the cost, and leave a bare CR.
  const built = normaliseLineEnds(await composer.compile().build())
  const block = parseHeaderBlock(built, { fields: 100, bytes: built.length })
  if ('fault' in block) throw new Error(`MailComposer wrote a header that does not parse: ${block.detail}`)
  const content = block.fields.filter(({ name }) => /^content-/i.test(name))
  return {
    fields: content.map(({ start, end }) => built.toString('latin1', start, end)).join(''),
    body: built.subarray(block.bodyStart),
  }
}

function toPart(attachment: Attachment): NonNullable<MailComposer.Options['attachments']>[number] {
  const { content, disposition, contentId } = attachment
  const part = {
    content,
    contentDisposition: disposition,
    filename: withoutControls(attachment.filename).toWellFormed(),
  }
  const type = mediaType(attachment)
  return {
    ...part,
    contentType: type,
    // RFC 2046 §5.2.1: message/rfc822 may not be encoded; mediaType lets it pass only where it need not be.
    contentTransferEncoding: type.startsWith('message/') ? '7bit' : 'base64',
    ...(contentId === undefined ? {} : contentIdField(contentIdOf(contentId), disposition)),
  }
}

/** MailComposer puts whatever has a `cid` beside the HTML that shows it; an attachment bears its Content-ID and stays
 *  one, so it gets the bare field. */
function contentIdField(id: string, disposition: Attachment['disposition']) {
  return disposition === 'inline' ? { cid: id } : { headers: { 'Content-Id': `<${id}>` } }
}

/** A type that says no more than the content keeps: a multipart would need parts, a message/* that is not plain 7-bit
 *  would need an encoding that it may not have. Those go as application/octet-stream. */
function mediaType({ type, content }: Attachment): string {
  if (!isMediaType(type) || /^multipart\//i.test(type)) return 'application/octet-stream'
  if (/^message\//i.test(type)) return isSevenBit(content) ? type.toLowerCase() : 'application/octet-stream'
  return type
}

function isSevenBit(content: Buffer): boolean {
  return content.length > 0 && isAscii(content) && !content.includes(0) && !hasLongLine(content)
}

/** RFC 2392 §2: a Content-ID is referred to in a `cid:` URL, so what may not stand in it is percent-encoded. */
function contentIdOf(contentId: string): string {
  return contentId.toWellFormed().replaceAll(/[^!-;=?-~]/gu, encodeURIComponent)
}

/** RFC 2046 §5.1.1: no part may contain the boundary. It derives from the Message-ID, which nobody who writes a part
 *  knows, so composing needs no chance of its own. */
function boundaryFrom(seed: string): string {
  return hash('sha256', seed).slice(0, 32)
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
