/** A line that cannot be used: `bare-line-end` when a CR or LF stands alone in it, `too-long` when it passes the
 *  limit (of which the first octets are left, for the verb), `endless` when even swallowing it went on for too long. */
export type LineFault =
  | { readonly fault: 'bare-line-end' | 'endless' }
  | { readonly fault: 'too-long'; readonly start: string }

const BARE_LINE_END: LineFault = { fault: 'bare-line-end' }
const START_OCTETS = 5
const ENDLESS: LineFault = { fault: 'endless' }

const EMPTY = Buffer.alloc(0)
const CR = 13
const LF = 10
const SWALLOW_FACTOR = 8

/** Cuts a stream of bytes into lines that end in CRLF and in nothing else (RFC 5321 §2.3.8). A line comes out as a
 *  string of one character per byte (latin1), without its CRLF: nothing is lost, whoever wants UTF-8 decodes it.
 *  The result does not depend on how the bytes were cut into chunks. Holds at most `limit` bytes of a line. */
export class LineReader {
  readonly #limit: number
  #bytes: Buffer = EMPTY
  #at = 0
  /** The start of a line whose end has not come yet. */
  #carry = ''
  /** Bytes of an overlong line swallowed so far; 0 outside of one. */
  #swallowed = 0
  /** What it began with. */
  #start = ''

  /** `limit` counts the bytes of a line with its CRLF. */
  constructor(limit: number) {
    this.#limit = limit
  }

  push(chunk: Buffer): void {
    this.#bytes = this.unread === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk])
    this.#at = 0
  }

  /** Bytes that were pushed and not read yet; the start of an unfinished line counts as read. */
  get unread(): number {
    return this.#bytes.length - this.#at
  }

  /** Whether the stream stands between two lines. */
  get between(): boolean {
    return this.unread === 0 && this.#carry === '' && this.#swallowed === 0
  }

  /** Hands over the bytes behind the last line, for a reader of another kind. */
  take(): Buffer {
    const rest = this.#bytes.subarray(this.#at)
    this.#release()
    return rest
  }

  /** The next line, or undefined until more bytes come. After `bare-line-end` and `endless` the framing of the
   *  stream is not to be trusted any more; after `too-long` the next line can be read. */
  next(): string | LineFault | undefined {
    const lf = this.#bytes.indexOf(LF, this.#at)
    if (lf === -1) return this.#holdBack()
    const start = this.#at
    this.#at = lf + 1
    const last = lf > start ? this.#bytes[lf - 1] : this.#carry.charCodeAt(this.#carry.length - 1)
    const swallowed = this.#swallowed > 0
    const size = (swallowed ? this.#swallowed : this.#carry.length) + this.#at - start
    const carry = this.#carry
    this.#swallowed = 0
    this.#carry = ''
    if (size > this.#limit * SWALLOW_FACTOR) return ENDLESS
    if (last !== CR) return BARE_LINE_END
    if (size > this.#limit)
      return { fault: 'too-long', start: swallowed ? this.#start : this.#startOf(carry, start) }
    const line = carry + this.#bytes.toString('latin1', start, lf)
    // An idle connection must not keep the chunk of its last command, which may have been the end of a content.
    if (this.unread === 0) this.#release()
    return line.indexOf('\r') === line.length - 1 ? line.slice(0, -1) : BARE_LINE_END
  }

  #startOf(carry: string, at: number): string {
    return (carry + this.#bytes.toString('latin1', at, at + START_OCTETS)).slice(0, START_OCTETS)
  }

  #release(): void {
    this.#bytes = EMPTY
    this.#at = 0
  }

  #holdBack(): LineFault | undefined {
    const size = this.unread
    if (size === 0) return undefined
    const piece = this.take().toString('latin1')
    this.#carry = this.#carry === '' ? piece : flat(this.#carry + piece)
    if (this.#swallowed === 0 && this.#carry.length <= this.#limit) return undefined
    if (this.#swallowed === 0) this.#start = this.#carry.slice(0, START_OCTETS)
    this.#swallowed += this.#swallowed === 0 ? this.#carry.length : size
    // The last byte alone, for the CR of a CRLF that a chunk's edge cut in two.
    this.#carry = this.#carry.slice(-1)
    return this.#swallowed > this.#limit * SWALLOW_FACTOR ? ENDLESS : undefined
  }
}

/** V8 keeps what `+` has made as a tree of its parts: 12,000 single bytes would take 375 KB. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
