import { isUtf8 } from 'node:buffer'

/** One header field where it stands in the raw message. `value` is everything after the colon as octets (latin1, so
 *  nothing is lost), its folds included, its final line end not; `start` and `end` delimit the whole field with its
 *  final line end. */
export interface HeaderField {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/** `bodyStart` is the offset after the blank line; the message's length where there is neither blank line nor body. */
export interface HeaderBlock {
  readonly fields: readonly HeaderField[]
  readonly bodyStart: number
}

/** Why a header block cannot be read the same way by everybody. `detail` is a sentence for the person who wrote it. */
export interface HeaderBlockFault {
  readonly fault:
    | 'too-large'
    | 'too-many-fields'
    | 'no-colon'
    | 'field-name'
    | 'space-before-colon'
    | 'starts-folded'
    | 'control-character'
  readonly detail: string
}

export interface HeaderBlockLimits {
  readonly fields: number
  readonly bytes: number
}

const CR = 13
// RFC 5322 §2.2: printable US-ASCII but for the colon.
const FIELD_NAME = /^[!-9;-~]+$/

/** Splits a raw message into header fields and body without copying the body. Lines may end in CRLF or LF, and the
 *  message may end with its header. What parsers disagree on is a fault rather than a guess: a space before the colon,
 *  a line without one, a folded line that continues nothing, NUL and bare CR. */
export function parseHeaderBlock(raw: Buffer, limits: HeaderBlockLimits): HeaderBlock | HeaderBlockFault {
  // As a string at once: a call for each line and value would take longer than all the rest. Two octets more than may
  // be used, so that a blank line there is seen whole.
  const text = raw.toString('latin1', 0, limits.bytes + 2)
  const fields: HeaderField[] = []
  let open: { name: string; start: number; valueStart: number; valueEnd: number } | undefined
  let at = 0
  let bodyStart = raw.length
  const close = (end: number) => {
    if (!open) return
    const value = text.slice(open.valueStart, open.valueEnd)
    fields.push({ name: open.name, value, start: open.start, end })
  }
  while (at < raw.length) {
    const lf = text.indexOf('\n', at)
    const next = lf === -1 ? raw.length : lf + 1
    const lineEnd = lf > at && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf === -1 ? raw.length : lf
    if (lineEnd === at) {
      bodyStart = next
      break
    }
    if (next > limits.bytes) return fault('too-large', `The header is larger than ${limits.bytes} bytes.`)
    const line = text.slice(at, lineEnd)
    if (line.includes('\0') || line.includes('\r')) return fault('control-character', CONTROL)
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (!open) return fault('starts-folded', 'The first line of the header may not start with white space.')
      open.valueEnd = lineEnd
    } else {
      close(at)
      if (fields.length === limits.fields) {
        return fault('too-many-fields', `The header has more than ${limits.fields} fields.`)
      }
      const colon = line.indexOf(':')
      const name = line.slice(0, Math.max(colon, 0))
      if (!FIELD_NAME.test(name)) return nameFault(line, colon)
      open = { name, start: at, valueStart: at + colon + 1, valueEnd: lineEnd }
    }
    at = next
  }
  close(at)
  return { fields, bodyStart }
}

/** A value on one line: a line end goes where white space follows it, the white space stays (RFC 5322 §2.2.3). */
export function unfold(value: string): string {
  return value.includes('\n') ? value.replaceAll(/\r?\n(?=[ \t])/g, '') : value
}

/** The value of a field as its author gave it: unfolded, without the one space that stands after the colon; undefined
 *  where it is not UTF-8 (RFC 6532 §3.2). */
export function fieldValue(field: HeaderField): string | undefined {
  const value = unfold(field.value)
  return fromOctets(value.startsWith(' ') ? value.slice(1) : value)
}

/** The text of a field: its value without white space around it. */
export function fieldText(field: HeaderField): string | undefined {
  const value = fieldValue(field)
  return value === undefined ? undefined : trimWhiteSpace(value)
}

function fromOctets(latin1: string): string | undefined {
  if (isAscii(latin1)) return latin1
  const octets = Buffer.from(latin1, 'latin1')
  return isUtf8(octets) ? octets.toString('utf8') : undefined
}

/** Without spaces and tabs at its ends. `String.trim` would take octets of UTF-8 (0xA0) for white space, and a regular
 *  expression anchored at the end takes quadratic time on a long run inside. */
export function trimWhiteSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

export function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the range is ASCII itself
  return /^[\x00-\x7f]*$/.test(text)
}

const CONTROL = 'The header contains NUL or a bare carriage return.'

function nameFault(line: string, colon: number): HeaderBlockFault {
  if (colon === -1) {
    return fault(
      'no-colon',
      `${quote(line)} is no header field: it has no colon. A blank line must end the header.`,
    )
  }
  if (/^[!-9;-~]+[ \t]+$/.test(line.slice(0, colon))) {
    return fault('space-before-colon', `${quote(line)} has white space before its colon.`)
  }
  return fault('field-name', `${quote(line)} does not start with a header name of printable ASCII.`)
}

function quote(line: string): string {
  const characters = Array.from(fromOctets(line) ?? line)
  return `The line '${characters.length > 40 ? `${characters.slice(0, 40).join('')}…` : characters.join('')}'`
}

function fault(kind: HeaderBlockFault['fault'], detail: string): HeaderBlockFault {
  return { fault: kind, detail }
}
