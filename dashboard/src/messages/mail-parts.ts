import { decodeWords } from './encoded-words.ts'
import { parameterOf, readHeaders } from './mail-headers.ts'

/** Something attached to a message, or a part of it that is not its text. */
export interface MailPart {
  /** As the sender named it; undefined where they did not. */
  readonly name: string | undefined
  /** `image/png`, in lower case; the sender's word for it. */
  readonly type: string
  readonly encoding: string
  /** Where its encoded content stands in the source. */
  readonly from: number
  readonly to: number
}

const DEEPEST = 20
const MOST_PARTS = 1000

/** The parts that are attached. `source` has one character for each octet. Whatever is wrong with a message, its parts are
 *  found as far as they can be (RFC 2046 §5.1); of more than a thousand parts the first thousand. */
export function attachedParts(source: string): readonly MailPart[] {
  const found: MailPart[] = []
  visit(source, { from: 0, to: source.length, depth: 0 }, found)
  return found
}

interface Place {
  readonly from: number
  readonly to: number
  readonly depth: number
}

function visit(source: string, { from, to, depth }: Place, found: MailPart[]): void {
  if (found.length >= MOST_PARTS) return
  const body = bodyStart(source, from, to)
  const headers = readHeaders(utf8Of(source.slice(from, body)))
  const field = (name: string) => headers.find((header) => header.name.toLowerCase() === name)?.value ?? ''
  const contentType = field('content-type') || 'text/plain'
  const type = /^[^;\s]*/.exec(contentType.trim())?.[0].toLowerCase() ?? ''
  const boundary = parameterOf(contentType, 'boundary')
  if (type.startsWith('multipart/') && boundary !== undefined && boundary !== '' && depth < DEEPEST) {
    for (const part of partsBetween(source, { from: body, to, depth }, boundary)) visit(source, part, found)
    return
  }
  const disposition = field('content-disposition')
  const name = parameterOf(disposition, 'filename') ?? parameterOf(contentType, 'name')
  const isText = type === 'text/plain' || type === 'text/html'
  if (isText && name === undefined && !/^\s*attachment\b/i.test(disposition)) return
  found.push({
    name: name === undefined ? undefined : decodeWords(name),
    type,
    encoding: field('content-transfer-encoding').trim().toLowerCase(),
    ...{ from: body, to },
  })
}

/** Where the empty line after the header has ended. */
function bodyStart(source: string, from: number, to: number): number {
  const end = /\r?\n\r?\n/g
  // A part may have no header at all.
  if (/^\r?\n/.test(source.slice(from, from + 2))) return from + (source[from] === '\r' ? 2 : 1)
  end.lastIndex = from
  const found = end.exec(source)
  return found && found.index < to ? Math.min(to, found.index + found[0].length) : to
}

function partsBetween(source: string, { from, to, depth }: Place, boundary: string): readonly Place[] {
  const parts: Place[] = []
  const mark = `--${boundary}`
  let begun: number | undefined
  for (let at = source.indexOf(mark, from); at !== -1 && at < to; at = source.indexOf(mark, at + 1)) {
    if (at > from && source[at - 1] !== '\n') continue
    const lineEnd = source.indexOf('\n', at)
    const rest = source.slice(at + mark.length, lineEnd === -1 ? to : Math.min(lineEnd, to))
    if (!/^(?:--)?[ \t\r]*$/.test(rest)) continue
    // The line break before a boundary belongs to it.
    if (begun !== undefined) parts.push({ from: begun, to: beforeBreak(source, begun, at), depth: depth + 1 })
    begun = rest.startsWith('--') || lineEnd === -1 ? undefined : lineEnd + 1
    if (begun === undefined || parts.length >= MOST_PARTS) return parts
  }
  if (begun !== undefined && begun < to) parts.push({ from: begun, to, depth: depth + 1 })
  return parts
}

function beforeBreak(source: string, from: number, at: number): number {
  const feed = source[at - 1] === '\n' ? at - 1 : at
  return Math.max(from, source[feed - 1] === '\r' ? feed - 1 : feed)
}

/** What a part holds. */
export function decodePart(source: string, { from, to, encoding }: MailPart): Uint8Array<ArrayBuffer> {
  const text = source.slice(from, to)
  if (encoding === 'base64') return decodeBase64(text)
  if (encoding === 'quoted-printable') return octetsOf(decodeQuotedPrintable(text))
  return octetsOf(text)
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replaceAll(/[^A-Za-z0-9+/]/g, '')
  try {
    return octetsOf(atob(digits.slice(0, digits.length % 4 === 1 ? -1 : undefined)))
  } catch {
    return new Uint8Array()
  }
}

function decodeQuotedPrintable(text: string): string {
  return text
    .replaceAll(/[ \t]*=[ \t]*\r?\n/g, '')
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Header fields may be in UTF-8 (RFC 6532). */
function utf8Of(octets: string): string {
  return new TextDecoder().decode(octetsOf(octets))
}

function octetsOf(text: string): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) octets[at] = text.charCodeAt(at)
  return octets
}
