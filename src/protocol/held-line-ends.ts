/** Where canonical octets go. */
export interface OctetHash {
  update(octets: Buffer): unknown
  digest(encoding: 'base64'): string
}

const CRLF = Buffer.from('\r\n')
const EMPTY_LINES = Buffer.from('\r\n'.repeat(2048))

/** The end of a body in a canonicalisation of DKIM (RFC 6376 §3.4): canonical octets go on to a hash, but line ends are
 *  held back as a number, since they count only if something follows; at the end of the body they become one. */
export class HeldLineEnds {
  /** Whether there was anything but line ends. */
  empty = true
  readonly #hash: OctetHash
  #held = 0

  constructor(hash: OctetHash) {
    this.#hash = hash
  }

  hold(lineEnds: number): void {
    this.#held += lineEnds
  }

  keep(octets: Buffer): void {
    while (this.#held > 0) {
      const some = Math.min(this.#held, EMPTY_LINES.length / 2)
      this.#hash.update(EMPTY_LINES.subarray(0, some * 2))
      this.#held -= some
    }
    this.#hash.update(octets)
    this.empty = false
  }

  /** Once, in base64; `lineEnd`: whether the body ends in one. */
  digest(lineEnd: boolean): string {
    if (lineEnd) this.#hash.update(CRLF)
    return this.#hash.digest('base64')
  }
}
