const CRLF = Buffer.from('\r\n')

/** Measures the lines of a content that comes in pieces, none of which cuts a CRLF in two. */
export class LongestLine {
  /** Octets of the longest line so far, with its CRLF (RFC 5321 §4.5.3.1.6). */
  length = 0
  #carried = 0

  add(content: Buffer): void {
    let at = 0
    for (let end = content.indexOf(CRLF); end !== -1; end = content.indexOf(CRLF, at)) {
      this.length = Math.max(this.length, this.#carried + end + CRLF.length - at)
      this.#carried = 0
      at = end + CRLF.length
    }
    this.#carried += content.length - at
  }
}
