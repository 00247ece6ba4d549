const CR = 13
const LF = 10
const DOT = 46
const NOTHING = Buffer.alloc(0)

/** What became of one chunk. `content` is the chunk's own memory, moved together where stuffed dots were taken out. */
export interface DataRead {
  readonly content: Buffer
  /** The bytes behind the end of the data; there only once the end was read. */
  readonly rest: Buffer | undefined
}

/** Reads the content that follows a 354 (RFC 5321 §4.1.1.4): takes out stuffed dots (§4.5.2) and finds the end,
 *  which is CRLF.CRLF and nothing else. A CR or LF that stands alone ends neither a line nor the data (§2.3.8); it
 *  marks the content as `bare`, after which nothing more comes out and only the end is looked for. What comes out
 *  does not depend on how the bytes were cut into chunks, and holds CRLF line ends only. */
export class DataReader {
  /** Whether a CR or LF stood alone in the content. */
  bare = false
  /** Octets of the longest line so far, with its CRLF (RFC 5321 §4.5.3.1.6). */
  longestLine = 0
  // The CRLF of the DATA command counts as the first half of the end: an empty message is a lone dot.
  #lineStart = true
  #lineLength = 0
  /** Bytes at the edge of a chunk that mean nothing before the next one is there: `.`, `.CR` or `CR`. */
  #held = NOTHING

  /** May write into `chunk`, which is the reader's from now on. */
  read(chunk: Buffer): DataRead {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = NOTHING
    return this.#scan(bytes, bytes.length)
  }

  #scan(bytes: Buffer, size: number): DataRead {
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
      this.#lineStart = false
      const textStart = at
      if (out === at) {
        while (at < size && bytes[at] !== CR && bytes[at] !== LF) at += 1
        out = at
      } else {
        while (at < size && bytes[at] !== CR && bytes[at] !== LF) bytes[out++] = bytes[at++] ?? 0
      }
      this.#lineLength += at - textStart
      if (at === size) break
      if (bytes[at] === LF) {
        this.bare = true
        at += 1
      } else if (at + 1 === size) {
        return this.#hold(bytes, out, at)
      } else if (bytes[at + 1] !== LF) {
        this.bare = true
        at += 1
      } else {
        bytes[out++] = CR
        bytes[out++] = LF
        at += 2
        this.#endLine()
      }
    }
    return { content: this.#content(bytes, out), rest: undefined }
  }

  #endLine(): void {
    if (this.#lineLength + 2 > this.longestLine) this.longestLine = this.#lineLength + 2
    this.#lineLength = 0
    this.#lineStart = true
  }

  #hold(bytes: Buffer, out: number, from: number): DataRead {
    // Copied, so that one byte does not keep a whole chunk in memory.
    this.#held = Buffer.from(bytes.subarray(from))
    return { content: this.#content(bytes, out), rest: undefined }
  }

  #content(bytes: Buffer, size: number): Buffer {
    return this.bare ? NOTHING : bytes.subarray(0, size)
  }
}
