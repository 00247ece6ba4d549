const DOT = 46
const LF = 10
const END = Buffer.from('.\r\n')
const CRLF = Buffer.from('\r\n')

/** The content as it goes out after DATA: a dot put before each line that starts with one (RFC 5321 §4.5.2), and the
 *  end of data behind it, on a line of its own. In: CRLF line ends only (`normaliseLineEnds`). A dot after any LF is
 *  stuffed, so that even a stray bare LF could not spell an end of data. */
export function dotStuff(content: Buffer): Buffer {
  const complete = content.length === 0 || content.subarray(-2).equals(CRLF)
  return stuff(content, linesWithDot(content, true), complete ? END : LINE_AND_END)
}

/** The same for a content that comes in pieces, cut anywhere; each goes out as it comes, and the end of data last. What
 *  the source throws comes out without it, so nothing cut short is ever ended. */
export async function* dotStuffed(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  // Before the first line is as after a line end.
  let end: Buffer = CRLF
  for await (const piece of content) {
    if (piece.length === 0) continue
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    yield stuff(chunk, linesWithDot(chunk, end.at(-1) === LF), NOTHING)
    end = chunk.length > 1 ? chunk.subarray(-2) : Buffer.concat([end.subarray(-1), chunk])
  }
  yield end.equals(CRLF) ? END : LINE_AND_END
}

const LINE_AND_END = Buffer.concat([CRLF, END])
const NOTHING = Buffer.alloc(0)

function stuff(content: Buffer, dots: readonly number[], end: Buffer): Buffer {
  if (dots.length === 0 && end.length === 0) return content
  const out = Buffer.allocUnsafe(content.length + dots.length + end.length)
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
  end.copy(out, to)
  return out
}

const LINE_WITH_DOT = Buffer.from('\n.')
/** Where they are rare, as in all mail, a native search finds them fastest; each hit costs as much as a hundred octets
 *  of a loop, and a hostile content is full of them. */
const MOST_SEARCHED = 200

/** Where a line begins with a dot; `atLine`: the content begins a line. */
function linesWithDot(content: Buffer, atLine: boolean): number[] {
  const dots: number[] = atLine && content[0] === DOT ? [0] : []
  let at = content.indexOf(LINE_WITH_DOT)
  while (at !== -1 && dots.length < MOST_SEARCHED) {
    dots.push(at + 1)
    at = content.indexOf(LINE_WITH_DOT, at + 1)
  }
  if (at === -1) return dots
  for (; at < content.length; at++) if (content[at] === LF && content[at + 1] === DOT) dots.push(at + 1)
  return dots
}
