import { createHash } from 'node:crypto'
import PostalMime, { type Attachment, type Email } from 'postal-mime'
import { MAX_PARTS, outlineMessage } from '#protocol/outline-message.ts'
import { htmlToText } from './html-to-text.ts'
import { isAttachment } from './part-kind.ts'
import { previewPage } from './preview-page.ts'

/** A message taken apart for a person to look at. */
export interface MimeView {
  readonly text: string
  readonly html: string
  readonly attachments: readonly PartView[]
  readonly inline: readonly PartView[]
}

/** An attachment, or a part that the text embeds, under Mailpit's names. */
export interface PartView {
  /** Its place among the message's attachments and embedded parts, from "1". */
  readonly PartID: string
  readonly FileName: string
  readonly ContentType: string
  /** Without angle brackets. */
  readonly ContentID: string
  /** Bytes. */
  readonly Size: number
  readonly Checksums: { readonly MD5: string; readonly SHA1: string; readonly SHA256: string }
}

export interface PartContent {
  readonly fileName: string
  readonly contentType: string
  readonly content: Uint8Array<ArrayBuffer>
}

/** Why a message is shown as its source only: a sentence for the person who wanted to look. */
export interface Unreadable {
  readonly unreadable: string
}

/** 40 MiB in base64 lines of 76 characters are 540,000 lines. */
const MAX_LINES = 600_000
/** Each line of text costs the parser about 2 KB until the part is complete; a base64 line costs nothing to speak of. */
const MAX_TEXT_LINES = 150_000
const MAX_NESTING = 100
const MAX_HEADER_BYTES = 2 * 1024 * 1024
const MAX_HTML_AS_TEXT = 1024 * 1024
const LF = 10

/** Takes a message apart. How long that takes is up to its author, so call it off the main thread. */
export async function readMime(raw: Uint8Array<ArrayBuffer>): Promise<MimeView | Unreadable> {
  const email = await parse(raw)
  if ('unreadable' in email) return email
  const parts = email.attachments.map((part, index) => ({
    view: viewPart(part, index),
    attached: isAttached(part),
  }))
  const html = email.html ?? ''
  return {
    // Mailpit gives a text to messages that have HTML alone.
    text: email.text ?? htmlToText(html.slice(0, MAX_HTML_AS_TEXT)),
    html,
    attachments: parts.filter(({ attached }) => attached).map(({ view }) => view),
    inline: parts.filter(({ attached }) => !attached).map(({ view }) => view),
  }
}

/** The content of one attachment or embedded part; undefined where the message has no such part. */
export async function readPart(
  raw: Uint8Array<ArrayBuffer>,
  partId: string,
): Promise<PartContent | Unreadable | undefined> {
  const email = await parse(raw)
  if ('unreadable' in email) return email
  const part = email.attachments.find((_, index) => partIdOf(index) === partId)
  return part && { fileName: fileNameOf(part), contentType: part.mimeType, content: contentOf(part) }
}

/** The message as a page, for a browser that gets it with `PREVIEW_HEADERS`. */
export async function readPreview(
  raw: Uint8Array<ArrayBuffer>,
): Promise<{ readonly page: string } | Unreadable> {
  const email = await parse(raw)
  if ('unreadable' in email) return email
  const embedded = email.attachments
    .filter((part) => contentIdOf(part) !== '')
    .map((part): [string, PartContent] => [
      contentIdOf(part),
      { fileName: fileNameOf(part), contentType: part.mimeType, content: contentOf(part) },
    ])
  return {
    page: previewPage({ html: email.html, text: email.text ?? '', embedded: new Map(embedded) }),
  }
}

async function parse(raw: Uint8Array<ArrayBuffer>): Promise<Email | Unreadable> {
  const excess = measure(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength))
  if (excess !== undefined) return { unreadable: excess }
  try {
    return await PostalMime.parse(raw, {
      // A nested message is a file to look at, not part of this one: nesting them is a known bomb.
      forceRfc822Attachments: true,
      maxNestingDepth: MAX_NESTING,
      maxHeadersSize: MAX_HEADER_BYTES,
    })
  } catch (error) {
    return {
      unreadable: `The message cannot be parsed: ${error instanceof Error ? error.message : 'unknown'}.`,
    }
  }
}

/** Names what the parser could not bear (400,000 empty parts take it 22 s), or nothing. */
function measure(raw: Buffer): string | undefined {
  const lines = countLines(raw, 0, raw.length)
  if (lines > MAX_LINES) return `The message has ${lines} lines; up to ${MAX_LINES} are taken apart.`
  const { parts } = outlineMessage(raw)
  if (parts.length >= MAX_PARTS) return `The message has ${MAX_PARTS} parts or more; fewer are taken apart.`
  const text = parts.filter((part) => part.encoding !== 'base64')
  const textLines = text.reduce((sum, part) => sum + countLines(raw, part.start, part.end), 0)
  if (textLines > MAX_TEXT_LINES)
    return `The message has ${textLines} lines of text; up to ${MAX_TEXT_LINES} are taken apart.`
  return undefined
}

function countLines(raw: Buffer, start: number, end: number): number {
  let lines = 0
  for (let at = start; at < end; at++) if (raw[at] === LF) lines++
  return lines
}

function viewPart(part: Attachment, index: number): PartView {
  const content = contentOf(part)
  const digest = (algorithm: string) => createHash(algorithm).update(content).digest('hex')
  return {
    PartID: partIdOf(index),
    FileName: fileNameOf(part),
    ContentType: part.mimeType,
    ContentID: contentIdOf(part),
    Size: content.byteLength,
    Checksums: { MD5: digest('md5'), SHA1: digest('sha1'), SHA256: digest('sha256') },
  }
}

function partIdOf(index: number): string {
  return String(index + 1)
}

function isAttached(part: Attachment): boolean {
  return isAttachment({ disposition: part.disposition ?? '', type: part.mimeType })
}

/** As in Mailpit, an embedded image without a name goes by its Content-ID. */
function fileNameOf(part: Attachment): string {
  return part.filename ?? contentIdOf(part)
}

function contentIdOf(part: Attachment): string {
  return (part.contentId ?? '').replace(/^<|>$/g, '')
}

function contentOf({ content }: Attachment): Uint8Array<ArrayBuffer> {
  if (typeof content === 'string') return new TextEncoder().encode(content)
  if (content instanceof ArrayBuffer) return new Uint8Array(content)
  return new Uint8Array(content)
}
