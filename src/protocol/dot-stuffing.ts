const DOT = 46
const LF = 10
const END = Buffer.from('.\r\n')

/** The content as it goes out after DATA: a dot put before each line that starts with one (RFC 5321 §4.5.2), and the
 *  end of data behind it, on a line of its own. In: CRLF line ends only (`normaliseLineEnds`). A dot after any LF is
 *  stuffed, so that even a stray bare LF could not spell an end of data. */
export function dotStuff(content: Buffer): Buffer {
  const dots = linesWithDot(content)
  const lineEnd = content.length === 0 || content.subarray(-2).equals(CRLF) ? 0 : 2
  const out = Buffer.allocUnsafe(content.length + dots.length + lineEnd + END.length)
  let from = 0
  let to = 0
  for (const dot of dots) {
    // A call for each of a few octets would cost more than the octets.
    if (dot - from < 16) while (from < dot) out[to++] = content[from++] ?? 0
    else to += content.copy(out, to, from, dot)
    out[to++] = DOT
    from = dot
  }
  to += content.copy(out, to, from)
  if (lineEnd > 0) to += CRLF.copy(out, to)
  END.copy(out, to)
  return out
}

const CRLF = Buffer.from('\r\n')
const LINE_WITH_DOT = Buffer.from('\n.')
/** Where they are rare, as in all mail, a native search finds them fastest; each hit costs as much as a hundred octets
 *  of a loop, and a hostile content is full of them. */
const MOST_SEARCHED = 200

/** Where a line begins with a dot. */
function linesWithDot(content: Buffer): number[] {
  const dots: number[] = content[0] === DOT ? [0] : []
  let at = content.indexOf(LINE_WITH_DOT)
  while (at !== -1 && dots.length < MOST_SEARCHED) {
    dots.push(at + 1)
    at = content.indexOf(LINE_WITH_DOT, at + 1)
  }
  if (at === -1) return dots
  for (; at < content.length; at++) if (content[at] === LF && content[at + 1] === DOT) dots.push(at + 1)
  return dots
}
