const CR = 13
const LF = 10
const DOT = 46
const NOTHING = Buffer.alloc(0)
/** What a line that starts with a dot, or the end, begins with. A search for it is native and skips whole lines. */
const DOTTED_LINE = Buffer.from('\r\n.')
const BARE_LINE_END = /\r(?!\n)|(?<!\r)\n/

/** Whether a content with a bare CR or LF is refused (RFC 5321 §2.3.8), or kept with those bytes as they came. */
export type BareLineEnds = 'refuse' | 'accept'

/** What became of one chunk. `content` is the chunk's own memory, moved together where stuffed dots were taken out. */
export interface DataRead {
  readonly content: Buffer
  /** The bytes behind the end of the data; there only once the end was read. */
  readonly rest: Buffer | undefined
}

/** Reads the content that follows a 354 (RFC 5321 §4.1.1.4): takes out stuffed dots (§4.5.2) and finds the end,
 *  which is CRLF.CRLF and nothing else. A CR or LF that stands alone ends neither a line nor the data (§2.3.8).
 *  Where it is refused it marks the content as `bare`, after which nothing more comes out and only the end is looked
 *  for, so that what comes out holds CRLF line ends only; where it is accepted it is a byte like any other, and the
 *  dot behind it a dot. What comes out does not depend on how the bytes were cut into chunks. */
export class DataReader {
  /** Whether a CR or LF stood alone in the content; only asked where that is refused. */
  bare = false
  readonly #bareLineEnds: BareLineEnds
  // The CRLF of the DATA command counts as the first half of the end: an empty message is a lone dot.
  #lineStart = true
  /** Bytes at the edge of a chunk that mean nothing before the next one is there: `.`, `.CR` or `CR`. Thus no CRLF is
   *  ever cut in two where content comes out. */
  #held = NOTHING

  constructor(bareLineEnds: BareLineEnds) {
    this.#bareLineEnds = bareLineEnds
  }

  /** May write into `chunk`, which is the reader's from now on. */
  read(chunk: Buffer): DataRead {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = NOTHING
    const size = bytes.length
    let at = 0
    let out = 0
    while (at < size) {
      if (this.#lineStart && bytes[at] === DOT) {
        if (at + 1 === size) return this.#hold(bytes, out, at)
        if (bytes[at + 1] === CR) {
          if (at + 2 === size) return this.#hold(bytes, out, at)
          if (bytes[at + 2] === LF)
            return { content: this.#content(bytes, out), rest: bytes.subarray(at + 3) }
        }
        at += 1
      }
      const dotted = bytes.indexOf(DOTTED_LINE, at)
      const held = dotted === -1 && bytes[size - 1] === CR ? 1 : 0
      const end = dotted === -1 ? size - held : dotted + 2
      this.#lineStart = bytes[end - 2] === CR && bytes[end - 1] === LF
      if (out !== at) bytes.copyWithin(out, at, end)
      out += end - at
      if (held > 0) return this.#hold(bytes, out, end)
      at = end
    }
    return { content: this.#content(bytes, out), rest: undefined }
  }

  #hold(bytes: Buffer, out: number, from: number): DataRead {
    // Copied, so that one byte does not keep a whole chunk in memory.
    this.#held = Buffer.from(bytes.subarray(from))
    return { content: this.#content(bytes, out), rest: undefined }
  }

  #content(bytes: Buffer, size: number): Buffer {
    const content = bytes.subarray(0, size)
    if (this.#bareLineEnds === 'accept') return content
    // As a string of one character for each byte: twice as fast as a loop over the bytes.
    this.bare ||= BARE_LINE_END.test(content.toString('latin1'))
    return this.bare ? NOTHING : content
  }
}
