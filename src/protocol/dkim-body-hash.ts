import { createHash, hash } from 'node:crypto'
import { HeldLineEnds, type OctetHash } from './held-line-ends.ts'

/** The body hash of DKIM and ARC: SHA-256, in base64, over the body in relaxed canonicalisation (RFC 6376 §3.4.4): white
 *  space within a line is one space, none before its end, no empty lines at the end of the body, and a final CRLF unless
 *  nothing is left. */

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32

export function hashBody(body: Buffer): string {
  if (isRelaxed(body)) return hash('sha256', body, 'base64')
  const hasher = new BodyHasher()
  hasher.update(body)
  return hasher.digest()
}

/** Of a content that comes in pieces, and whose body begins after `bodyStart` octets. */
export async function hashBodyOf(chunks: AsyncIterable<Uint8Array>, bodyStart: number): Promise<string> {
  const hasher = new BodyHasher()
  let header = bodyStart
  for await (const piece of chunks) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    if (header < chunk.length) hasher.update(chunk.subarray(header))
    header = Math.max(0, header - chunk.length)
  }
  return hasher.digest()
}

/** Whether a body is already as relaxed canonicalisation would leave it, as encoded ones mostly are. Four native
 *  searches cost a tenth of the loop and no copy. */
function isRelaxed(body: Buffer): boolean {
  const end = body.subarray(-4).toString('latin1')
  return /[^\n]\r\n$/.test(end) && keepsItsSpaces(body)
}

function keepsItsSpaces(octets: Buffer): boolean {
  return !octets.includes('  ') && !octets.includes('\t') && !octets.includes(' \r\n')
}

/** Takes a body piece by piece, cut anywhere, in memory that does not grow with it, and keeps none of the pieces. A
 *  verifier may want another hash than SHA-256, or one that stops at `l=`. */
export class BodyHasher {
  readonly #canonical: HeldLineEnds
  /** White space whose meaning depends on what follows. */
  #blank = false
  /** A CR that may be half a line end. */
  #cr = false

  constructor(octetHash: OctetHash = createHash('sha256')) {
    this.#canonical = new HeldLineEnds(octetHash)
  }

  update(chunk: Buffer): void {
    const plain = this.#blank || this.#cr ? 0 : plainLength(chunk)
    if (plain > 0) this.#canonical.keep(chunk.subarray(0, plain))
    if (plain < chunk.length) this.#relax(chunk.subarray(plain))
  }

  /** Once, after the last piece. */
  digest(): string {
    // A CR that no LF followed is an octet like any other.
    if (this.#cr) this.#canonical.keep(Buffer.from(this.#blank ? ' \r' : '\r'))
    return this.#canonical.digest(!this.#canonical.empty)
  }

  /** What is kept of a piece is gathered first: a call of the hash for each word would cost more than the words. The
   *  state is in variables meanwhile, which halves what a piece costs. */
  #relax(chunk: Buffer): void {
    // Before a piece there may be white space and a CR.
    const out = Buffer.allocUnsafe(chunk.length + 2)
    let to = 0
    let kept = 0
    let lineEnds = 0
    let blank = this.#blank
    let cr = this.#cr
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (cr && byte === LF) {
        out[to++] = CR
        out[to++] = LF
        lineEnds++
        blank = false
        cr = false
        continue
      }
      const isWhiteSpace = byte === SPACE || byte === TAB
      if (cr || !(isWhiteSpace || byte === CR)) {
        if (blank) out[to++] = SPACE
        // A CR that no LF followed is an octet like any other.
        if (cr) out[to++] = CR
        blank = false
        kept = to
        lineEnds = 0
      }
      cr = byte === CR
      if (isWhiteSpace) blank = true
      else if (!cr) {
        out[to++] = byte
        kept = to
      }
    }
    this.#blank = blank
    this.#cr = cr
    if (kept > 0) this.#canonical.keep(out.subarray(0, kept))
    this.#canonical.hold(lineEnds)
  }
}

/** How much of the start of a piece is as relaxed canonicalisation would leave it, up to a letter of a line. */
function plainLength(chunk: Buffer): number {
  let end = chunk.length
  while (end > 0 && isWhite(chunk[end - 1])) end--
  return end > 0 && keepsItsSpaces(chunk.subarray(0, end)) ? end : 0
}

function isWhite(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === CR || byte === LF
}
