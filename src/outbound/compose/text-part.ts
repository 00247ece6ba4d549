import { isAscii } from 'node:buffer'
import { normaliseLineEnds } from '#protocol/line-ends.ts'

/** A text part ready for the wire: its Content-* fields, each with its CRLF, and its encoded body, which ends in CRLF. */
export interface TextPart {
  readonly fields: string
  readonly body: Buffer
}

// RFC 5322 §2.1.1 allows 998; relays that follow sendmail's default split lines at 990, and with them the signature.
const LONGEST_PLAIN_LINE = 960
// RFC 2045 §6.7 (5), §6.8: no encoded line is longer than 76.
const ENCODED_LINE = 76

/** Text as `text/plain` or `text/html` in UTF-8, 7-bit clean: as it is when it is ASCII and no line is too long, else
 *  in the smaller of quoted-printable and base64. Line ends become CRLF, and the last line gets one. */
export function encodeTextPart(subtype: 'plain' | 'html', text: string): TextPart {
  const bytes = crlfOctets(text.endsWith('\n') ? text : `${text}\n`)
  const plain = isAscii(bytes) && !CONTROLS.test(text) && !hasLongLine(bytes)
  const { encoding, body } = plain ? { encoding: '7bit', body: bytes } : encodeLines(bytes)
  const fields = `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n`
  return { fields, body }
}

/** Octets of text, lines ended by CRLF, in the smaller of quoted-printable and base64. */
export function encodeLines(bytes: Buffer): {
  readonly encoding: 'quoted-printable' | 'base64'
  readonly body: Buffer
} {
  // Each escape costs two octets more, base64 a third of everything.
  return countEscapes(bytes) * 2 <= bytes.length / 3
    ? { encoding: 'quoted-printable', body: quotedPrintable(bytes) }
    : { encoding: 'base64', body: base64Lines(bytes) }
}

/** Every line ended by CRLF (RFC 2046 §4.1.1), whatever ended it before. */
export function withCrlf(text: string): string {
  return crlfOctets(text).toString()
}

/** As octets, since of twelve million blank lines a string replaces each for itself, which takes a second. */
function crlfOctets(text: string): Buffer {
  return normaliseLineEnds(Buffer.from(text))
}

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const EQUALS = 61

function countEscapes(bytes: Buffer): number {
  let count = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if ((byte < SPACE && byte !== TAB && byte !== CR && byte !== LF) || byte > 126) count++
  }
  return count
}

/** Whether a line is longer than we write one as it is. */
export function hasLongLine(bytes: Buffer): boolean {
  return findLongLine(bytes, LONGEST_PLAIN_LINE) !== undefined
}

/** The first line of more than `limit` octets: where it starts, and its length. In: CRLF line ends. It looks back from
 *  where the longest line would have to end, which takes one search for many short lines. */
export function findLongLine(bytes: Buffer, limit: number): { start: number; octets: number } | undefined {
  let start = 0
  while (bytes.length - start > limit) {
    const lf = bytes.lastIndexOf(LF, start + limit + 1)
    if (lf < start) {
      const end = bytes.indexOf(LF, start)
      // The CR before it counts for nothing.
      return { start, octets: (end === -1 ? bytes.length : end - 1) - start }
    }
    start = lf + 1
  }
  return undefined
}

// oxlint-disable-next-line no-control-regex -- what text may hold and 7bit may not
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/

const HEX = Buffer.from('0123456789ABCDEF')

/** RFC 2045 §6.7. In: CRLF line ends only. */
function quotedPrintable(bytes: Buffer): Buffer {
  // The worst case is three octets for each, and a soft line break (three more) for every 73 of those.
  const out = Buffer.allocUnsafe(bytes.length * 3 + Math.ceil(bytes.length / 24) * 3 + 3)
  let to = 0
  let line = 0
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from] ?? 0
    if (byte === CR && bytes[from + 1] === LF) {
      from++
      out[to++] = CR
      out[to++] = LF
      line = 0
      continue
    }
    // §6.7 (3): white space may not end a line.
    const blankAtEnd =
      (byte === SPACE || byte === TAB) && (from + 1 === bytes.length || bytes[from + 1] === CR)
    const plain = (byte >= SPACE && byte <= 126 && byte !== EQUALS) || byte === TAB
    const width = plain && !blankAtEnd ? 1 : 3
    if (line + width > ENCODED_LINE - 1) {
      out[to++] = EQUALS
      out[to++] = CR
      out[to++] = LF
      line = 0
    }
    line += width
    if (width === 1) out[to++] = byte
    else {
      out[to++] = EQUALS
      out[to++] = HEX[byte >> 4] ?? 0
      out[to++] = HEX[byte & 15] ?? 0
    }
  }
  return out.subarray(0, to)
}

/** RFC 2045 §6.8. */
export function base64Lines(bytes: Buffer): Buffer {
  const encoded = Buffer.from(bytes.toString('base64'), 'latin1')
  const out = Buffer.allocUnsafe(encoded.length + Math.ceil(encoded.length / ENCODED_LINE) * 2)
  let to = 0
  for (let from = 0; from < encoded.length; from += ENCODED_LINE) {
    to += encoded.copy(out, to, from, from + ENCODED_LINE)
    out[to++] = CR
    out[to++] = LF
  }
  return out.subarray(0, to)
}
