const DOT = 46
const END = Buffer.from('.\r\n')

/** The content as it goes out after DATA: a dot put before each line that starts with one (RFC 5321 §4.5.2), and the
 *  end of data behind it, on a line of its own. In: CRLF line ends only (`normaliseLineEnds`). A dot after any LF is
 *  stuffed, so that even a stray bare LF could not spell an end of data. */
export function dotStuff(content: Buffer): Buffer {
  const dots: number[] = content[0] === DOT ? [0] : []
  for (let at = content.indexOf('\n.'); at !== -1; at = content.indexOf('\n.', at + 1)) dots.push(at + 1)
  const lineEnd = content.length === 0 || content.subarray(-2).equals(CRLF) ? 0 : 2
  const out = Buffer.allocUnsafe(content.length + dots.length + lineEnd + END.length)
  let from = 0
  let to = 0
  for (const dot of dots) {
    to += content.copy(out, to, from, dot)
    out[to++] = DOT
    from = dot
  }
  to += content.copy(out, to, from)
  if (lineEnd > 0) to += CRLF.copy(out, to)
  END.copy(out, to)
  return out
}

const CRLF = Buffer.from('\r\n')
