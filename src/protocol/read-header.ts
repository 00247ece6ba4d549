import { isUtf8 } from 'node:buffer'
import { unfold } from './header-block.ts'

/** One header field, its value unfolded, without white space around it and in Unicode. */
export interface ReadField {
  readonly name: string
  readonly value: string
}

export interface ReadHeader {
  readonly fields: readonly ReadField[]
  /** Where the body starts; the end of the message where there is none. */
  readonly bodyStart: number
}

export interface HeaderLimits {
  readonly fields: number
  readonly bytes: number
}

const LF = 10
const CR = 13
const BLANK_LINES = ['\n\n', '\n\r\n'] as const

/** Reads the header that starts at `start`, of any message at all: what no parser would take (a line without a colon,
 *  a fold that continues nothing) is skipped, what lies past the limits is not looked at. The strict reader of
 *  `protocol` refuses such messages, and they are what a developer wants to see. A line that starts with `--` ends the
 *  header of a part whose blank line is missing. */
export function readHeader(raw: Buffer, start: number, limits: HeaderLimits): ReadHeader {
  const fields: ReadField[] = []
  let open: { name: string; from: number; to: number } | undefined
  const close = () => {
    if (open) fields.push({ name: open.name, value: text(raw.subarray(open.from, open.to)) })
    open = undefined
  }
  for (let at = start; at < raw.length; ) {
    const lf = raw.indexOf(LF, at)
    const next = lf === -1 ? raw.length : lf + 1
    const lineEnd = lf > at && raw[lf - 1] === CR ? lf - 1 : lf === -1 ? raw.length : lf
    const isDelimiter = start > 0 && raw.toString('latin1', at, at + 2) === '--'
    if (lineEnd === at || isDelimiter) {
      close()
      return { fields, bodyStart: isDelimiter ? at : next }
    }
    const folded = raw[at] === 0x20 || raw[at] === 0x09
    if (!folded) close()
    if (next - start > limits.bytes || fields.length === limits.fields) {
      close()
      return { fields, bodyStart: skipHeader(raw, at) }
    }
    if (!folded) {
      const name = /^([!-9;-~]+)[ \t]*:/.exec(raw.toString('latin1', at, Math.min(lineEnd, at + 256)))
      if (name?.[1] !== undefined) open = { name: name[1], from: at + name[0].length, to: lineEnd }
    } else if (open) open.to = lineEnd
    at = next
  }
  close()
  return { fields, bodyStart: raw.length }
}

/** The value of the first field of that name (in lower case). */
export function firstValue(fields: readonly ReadField[], name: string): string | undefined {
  return fields.find((field) => field.name.toLowerCase() === name)?.value
}

export function allValues(fields: readonly ReadField[], name: string): string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map((field) => field.value)
}

function skipHeader(raw: Buffer, from: number): number {
  const ends = BLANK_LINES.map((blank) => ({ at: raw.indexOf(blank, from, 'latin1'), blank }))
  const found = ends.filter(({ at }) => at !== -1).map(({ at, blank }) => at + blank.length)
  return Math.min(raw.length, ...found)
}

/** RFC 6532 §3.2 makes header text UTF-8; other octets are taken for windows-1252, which has a character for each. */
function text(octets: Buffer): string {
  const value = isUtf8(octets) ? octets.toString('utf8') : new TextDecoder('windows-1252').decode(octets)
  return unfold(value).trim()
}
