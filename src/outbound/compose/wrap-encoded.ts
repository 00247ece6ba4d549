import { withoutBlanksAtEnd } from './mime-header.ts'
import { findLongLine } from './text-part.ts'

/** What is encoded already but in lines that SMTP does not carry. */

// RFC 2045 §6.7 (5), §6.8: no encoded line is longer than 76. A multiple of four, so that each line of base64 decodes
// by itself.
const ENCODED_LINE = 76

/** The same base64, each line over `longest` octets cut into lines of 76. In: CRLF line ends only. */
export function wrapBase64(encoded: Buffer, longest: number): Buffer {
  return wrapLines(encoded, longest, (line) => line.match(CHUNK) ?? [])
}

const CHUNK = new RegExp(`[^]{1,${ENCODED_LINE}}`, 'g')

/** The same quoted-printable text, each line over `longest` octets cut by soft line breaks (RFC 2045 §6.7 (5)). No line
 *  that this starts begins with a hyphen: it might be taken for a delimiter. White space at the end of such a line stands
 *  for nothing (§6.7 (3)) and goes. In: CRLF line ends only. */
export function wrapQuotedPrintable(encoded: Buffer, longest: number): Buffer {
  return wrapLines(encoded, longest, (line) => {
    const pieces = withoutBlanksAtEnd(line).match(PIECE) ?? []
    return pieces.map((piece, index) => {
      const start = index > 0 && piece.startsWith('-') ? `=2D${piece.slice(1)}` : piece
      return index < pieces.length - 1 ? `${start}=` : start
    })
  })
}

/** Up to 72 octets that end in no half of an escape, unless the line does; the hyphen of the next piece takes two more. */
const PIECE = /[^]{1,72}(?:(?<!=[^]?)|$)|[^]{1,72}/g

function wrapLines(encoded: Buffer, longest: number, cut: (line: string) => readonly string[]): Buffer {
  const chunks: Buffer[] = []
  let kept = 0
  for (;;) {
    const long = findLongLine(encoded.subarray(kept), longest)
    if (!long) return Buffer.concat([...chunks, encoded.subarray(kept)])
    const start = kept + long.start
    const end = start + long.octets
    const lines = cut(encoded.toString('latin1', start, end))
    chunks.push(encoded.subarray(kept, start), Buffer.from(lines.join('\r\n'), 'latin1'))
    kept = end
  }
}
