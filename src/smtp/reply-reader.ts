import { splitEnhanced } from '#protocol/enhanced-status.ts'
import { LineReader } from './line-reader.ts'
import type { Reply } from './reply.ts'

/** A reply as it came, before its text is looked into. */
export interface RawReply {
  readonly code: number
  /** One at least; without code, separator and CRLF. */
  readonly lines: readonly string[]
}

export interface ReplyFault {
  readonly fault: string
}

// RFC 5321 §4.2. The second digit is left open: 471 and 571 are real servers' codes, and §4.3.2 lets the first decide.
const REPLY_LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/
/** RFC 5321 §4.5.3.1.5 says 512. */
const MAX_LINE_BYTES = 2048
const MAX_LINES = 128
const MAX_BYTES = 64 * 1024
const HIGH = /[\x80-\xff]/
// oxlint-disable-next-line no-control-regex -- controls are what it takes out
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g

/** Reads replies (RFC 5321 §4.2.1) out of a stream of bytes, on demand, so that what nobody asked for is not parsed.
 *  Strict and bounded: other line ends than CRLF, other codes than 2yz to 5yz, codes that change within a reply and
 *  replies of more than 128 lines or 64 KiB are faults, after which nothing more can be read. */
export class ReplyReader {
  readonly #lines = new LineReader(MAX_LINE_BYTES)
  #code = 0
  #texts: string[] = []
  #bytes = 0

  push(chunk: Buffer): void {
    this.#lines.push(chunk)
  }

  /** Bytes nobody has asked for yet. */
  get unread(): number {
    return this.#lines.unread
  }

  /** Whether the stream stands between two replies. */
  get between(): boolean {
    return this.#lines.between && this.#texts.length === 0
  }

  /** The next reply, or undefined until more bytes come. */
  next(): RawReply | ReplyFault | undefined {
    for (;;) {
      const line = this.#lines.next()
      if (line === undefined) return undefined
      if (typeof line !== 'string') return { fault: `reply line: ${line.fault}` }
      const reply = this.#add(line)
      if (reply !== undefined) return reply
    }
  }

  #add(line: string): RawReply | ReplyFault | undefined {
    const match = REPLY_LINE.exec(line)
    if (match === null) return { fault: 'not an SMTP reply' }
    const code = Number(match[1])
    const lines = this.#texts
    if (lines.length > 0 && code !== this.#code) return { fault: 'code changes within a reply' }
    this.#code = code
    this.#bytes += line.length
    lines.push(printable(match[3] ?? ''))
    if (match[2] !== '-') {
      this.#texts = []
      this.#bytes = 0
      return { code, lines }
    }
    return lines.length >= MAX_LINES || this.#bytes > MAX_BYTES ? { fault: 'endless reply' } : undefined
  }
}

/** The reply with its enhanced status code taken out of its text. */
export function readReply({ code, lines }: RawReply): Reply {
  return { code, ...splitEnhanced(lines.length === 1 ? (lines[0] ?? '') : lines.join('\n')) }
}

/** The keywords of a reply to EHLO (RFC 5321 §4.1.1.1) in upper case, with their parameters; its first line greets. */
export function readExtensions({ lines }: RawReply): ReadonlyMap<string, string> {
  const extensions = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().split(/[ =]+/)
    if (keyword !== '') extensions.set(keyword.toUpperCase(), parameters.join(' '))
  }
  return extensions
}

function printable(text: string): string {
  const decoded = HIGH.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
  return decoded.replace(CONTROL, '?')
}
