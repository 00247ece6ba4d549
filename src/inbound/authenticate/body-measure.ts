import { createHash } from 'node:crypto'
import type { MailauthBodyHash } from 'mailauth/lib/dkim/dkim-verifier.js'
import { BodyHasher } from '#protocol/dkim-body-hash.ts'
import { HeldLineEnds, type OctetHash } from '#protocol/held-line-ends.ts'

/** Hashes a body as one signature wants it and tells how much of it was hashed, in memory that does not grow with it. */
export class BodyMeasure implements MailauthBodyHash {
  readonly #hash: LimitedHash
  readonly #canonical: { update(chunk: Buffer): void; digest(): string }
  byteLength = 0

  /** `canonicalization` is simple or relaxed, `algorithm` a hash of Node's, `limit` the octets of `l=`. */
  constructor(canonicalization: string, algorithm: string, limit: number) {
    this.#hash = new LimitedHash(algorithm, limit)
    this.#canonical = canonicalization === 'relaxed' ? new BodyHasher(this.#hash) : new SimpleBody(this.#hash)
  }

  update(chunk: Buffer): void {
    this.byteLength += chunk.length
    this.#canonical.update(chunk)
  }

  digest(): string {
    return this.#canonical.digest()
  }

  get bodyHashedBytes(): number {
    return this.#hash.hashed
  }

  get canonicalizedLength(): number {
    return this.#hash.length
  }

  /** Where a body's MIME structure starts nobody here asks. */
  setContentType(): void {}
  getMimeStructureStart(): undefined {}
}

/** RFC 6376 §3.5, `l=`: of the canonical body so many octets from its start. */
class LimitedHash implements OctetHash {
  readonly #hash
  readonly #limit: number
  hashed = 0
  length = 0

  constructor(algorithm: string, limit: number) {
    this.#hash = createHash(algorithm)
    this.#limit = limit
  }

  update(octets: Buffer): void {
    this.length += octets.length
    const some = octets.subarray(0, this.#limit - this.hashed)
    this.hashed += some.length
    this.#hash.update(some)
  }

  digest(): string {
    return this.#hash.digest('base64')
  }
}

const CR = 13
const LF = 10

/** RFC 6376 §3.4.3: as it is, but for the line ends at its end, which become one; an empty body has one too. */
class SimpleBody {
  readonly #canonical: HeldLineEnds
  /** A CR that may be half a line end. */
  #cr = false

  constructor(hash: OctetHash) {
    this.#canonical = new HeldLineEnds(hash)
  }

  update(chunk: Buffer): void {
    if (chunk.length === 0) return
    let start = 0
    if (this.#cr) {
      this.#cr = false
      if (chunk[0] === LF) {
        this.#canonical.hold(1)
        start = 1
      } else this.#canonical.keep(Buffer.from('\r'))
    }
    let end = chunk.length
    if (end > start && chunk[end - 1] === CR) {
      this.#cr = true
      end--
    }
    const last = end
    while (end - 2 >= start && chunk[end - 2] === CR && chunk[end - 1] === LF) end -= 2
    if (end > start) this.#canonical.keep(chunk.subarray(start, end))
    this.#canonical.hold((last - end) / 2)
  }

  digest(): string {
    if (this.#cr) this.#canonical.keep(Buffer.from('\r'))
    return this.#canonical.digest(true)
  }
}
