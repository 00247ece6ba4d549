const CR = 13
const LF = 10

/** The content with every line ended by CRLF: a bare CR and a bare LF become CRLF (RFC 5321 §2.3.8). Returns the very
 *  same buffer when nothing is to be done. Run before signing, so that no later hop changes what was signed, and so
 *  that no other spelling of the end of data (SMTP smuggling) is ever sent on. */
export function normaliseLineEnds(content: Buffer): Buffer {
  const bare = countBareLineEnds(content)
  if (bare === 0) return content
  const out = Buffer.allocUnsafe(content.length + bare)
  let to = 0
  for (let from = 0; from < content.length; from++) {
    const byte = content[from]
    if (byte === CR) {
      if (content[from + 1] === LF) from++
    } else if (byte !== LF) {
      out[to++] = byte ?? 0
      continue
    }
    out[to++] = CR
    out[to++] = LF
  }
  return out
}

/** What ends the lines of a header: `alike` is all of them by CRLF or all by LF; the others are how readers come to
 *  different headers, or to different ends of one. */
export type HeaderLineEnds = 'alike' | 'bare-cr' | 'cr-cr-lf' | 'mixed'

/** Looks at the header of a content as it arrived: up to the first blank line, whatever ends it, and no further than
 *  `within` octets. */
export function headerLineEnds(content: Buffer, within: number): HeaderLineEnds {
  const { length } = content.subarray(0, within)
  let crlf = false
  let lf = false
  for (let at = 0, lineStart = 0; at < length; at++) {
    const byte = content[at]
    if (byte !== CR && byte !== LF) continue
    const isBlank = at === lineStart
    if (byte === LF) lf = true
    else if (content[at + 1] === LF) {
      crlf = true
      at++
    } else return content[at + 1] === CR && content[at + 2] === LF ? 'cr-cr-lf' : 'bare-cr'
    if (crlf && lf) return 'mixed'
    if (isBlank) break
    lineStart = at + 1
  }
  return 'alike'
}

function countBareLineEnds(content: Buffer): number {
  let bare = 0
  const { length } = content
  for (let i = 0; i < length; i++) {
    const byte = content[i] ?? 0
    // Nearly every byte ends here; the comparison alone runs at a gigabyte a second.
    if (byte > CR) continue
    if (byte === CR) {
      if (content[i + 1] === LF) i++
      else bare++
    } else if (byte === LF) bare++
  }
  return bare
}
