import type { Refusal } from '#model/refusal.ts'
import { foldField, hasEndlessWord, withoutControls } from '#protocol/fold.ts'
import { type HeaderBlock, type HeaderField, isAscii, unfold } from '#protocol/header-block.ts'
import { encodeLeaf } from './encode-leaf.ts'
import { ENCODING_FIELD } from './mime-header.ts'
import { LONGEST_LINE } from './scan-lines.ts'
import { findLongLine } from './text-part.ts'
import { type Part, type Piece, walkParts } from './walk-parts.ts'

/** The header fields and the body of a raw message, such that SMTP carries them: no line of the body over 998 octets, no
 *  NUL, nothing that calls itself binary. Each part that is otherwise is encoded by itself, which changes nothing that
 *  anybody reads; every other octet stays, so that this composes nobody's message anew. Refused, naming the line, where
 *  that cannot be done: in what is signed, and in what cannot be read as MIME.
 *  In: the message with CRLF line ends and its header, and the message as it arrived. */
export function carryBody(
  content: Buffer,
  root: HeaderBlock,
  arrived: Buffer,
): { readonly fields: readonly HeaderField[]; readonly body: Buffer } | Refusal {
  const rewriting: Rewriting = {
    content,
    octets: openArrived(content, arrived),
    chunks: [],
    kept: root.bodyStart,
    fields: root.fields,
  }
  for (const piece of walkParts(content, root)) {
    const refusal = carryPiece(rewriting, piece)
    if (refusal) return refusal
  }
  const { chunks, kept, fields } = rewriting
  const rest = content.subarray(kept)
  return { fields, body: chunks.length === 0 ? rest : Buffer.concat([...chunks, rest]) }
}

interface Rewriting {
  readonly content: Buffer
  readonly octets: (start: number, end: number) => Buffer
  /** The new body up to `kept`; what follows was not touched yet. */
  readonly chunks: Buffer[]
  kept: number
  /** Of the message itself. */
  fields: readonly HeaderField[]
}

function carryPiece(rewriting: Rewriting, piece: Piece): Refusal | undefined {
  if (piece.kind === 'between') return refuseUnfit(rewriting.content, piece.start, piece.end, NO_PART)
  const { part } = piece
  if (part.signed && part.encoding === 'binary') {
    const line = lineAt(rewriting.content, part.headerStart)
    return unusable(`The part at line ${line} of the message is declared binary. ${SIGNED}`)
  }
  if (piece.kind === 'composite') {
    // RFC 2045 §6.4: a composite type is 7bit, 8bit or binary.
    return writeHeader(rewriting, part, part.encoding === 'binary' ? '8bit' : undefined)
  }
  const { start, end, holdsDelimiter } = piece
  const body = rewriting.content.subarray(start, end)
  const nul = body.includes(0)
  const long = findLongLine(body, LONGEST_LINE) !== undefined
  if (!nul && !long && part.encoding !== 'binary') return writeHeader(rewriting, part, undefined)
  const octets = () => rewriting.octets(start, end)
  const { type, charset, encoding } = part
  const encoded = part.signed
    ? undefined
    : encodeLeaf({ type, charset, encoding, body, octets, long, nul, holdsDelimiter })
  if (!encoded) return refuseUnfit(rewriting.content, start, end, part.signed ? SIGNED : ENCODE)
  const refusal = writeHeader(rewriting, part, encoded.encoding)
  if (refusal) return refusal
  replace(rewriting, start, end, encoded.body)
  return undefined
}

/** The header of a part with the encoding that it has now. A line that is too long is folded where there is white space:
 *  unfolded it reads the same (RFC 5322 §2.2.3). */
function writeHeader(rewriting: Rewriting, part: Part, encoding: string | undefined): Refusal | undefined {
  if (part.isRoot) {
    if (encoding !== undefined) rewriting.fields = withEncoding(part, encoding)
    return undefined
  }
  const { content } = rewriting
  for (const field of part.fields) {
    const [start, end] = [part.headerStart + field.start, part.headerStart + field.end]
    if (encoding !== undefined && isEncodingField(field)) {
      replace(rewriting, start, end, latin1(`${field.name}: ${encoding}\r\n`))
    } else if (end - start > LONGEST_LINE && findLongLine(content.subarray(start, end), LONGEST_LINE)) {
      const folded = part.signed ? undefined : foldLong(field)
      if (folded === undefined) return refuseUnfit(content, start, end, part.signed ? SIGNED : NO_PART)
      replace(rewriting, start, end, latin1(folded))
    }
  }
  if (encoding !== undefined && !part.fields.some(isEncodingField)) {
    const added = latin1(`Content-Transfer-Encoding: ${encoding}\r\n`)
    replace(rewriting, part.fieldsEnd, part.fieldsEnd, added)
  }
  return undefined
}

/** The fields of the message itself, which `keepFields` writes. */
function withEncoding({ fields, fieldsEnd }: Part, encoding: string): readonly HeaderField[] {
  const value = ` ${encoding}`
  if (fields.some(isEncodingField)) {
    return fields.map((field) => (isEncodingField(field) ? { ...field, value } : field))
  }
  return [...fields, { name: 'Content-Transfer-Encoding', value, start: fieldsEnd, end: fieldsEnd }]
}

function isEncodingField({ name }: HeaderField): boolean {
  return name.toLowerCase() === ENCODING_FIELD
}

/** Undefined where folding would change what the field says. */
function foldLong({ name, value }: HeaderField): string | undefined {
  const line = unfold(value)
  if (!isAscii(line) || withoutControls(line) !== line || hasEndlessWord(`${name}:${line}`)) return undefined
  return foldField(name, line)
}

/** In: where the octets of `content` lie that are replaced; each time behind the last one. */
function replace(rewriting: Rewriting, start: number, end: number, by: Buffer): void {
  rewriting.chunks.push(rewriting.content.subarray(rewriting.kept, start), by)
  rewriting.kept = end
}

/** The octets of a stretch of the message as they arrived, before its line ends were normalised. Asked for in rising
 *  order, so that all of it costs one pass. */
function openArrived(content: Buffer, arrived: Buffer): (start: number, end: number) => Buffer {
  let at = 0
  let from = 0
  const arrivedAt = (wanted: number) => {
    while (at < wanted) {
      // Both are the same but for a line end, which may be of one octet here and is of two there.
      const isBare =
        content[at] === CR && content[at + 1] === LF && !(arrived[from] === CR && arrived[from + 1] === LF)
      at += isBare ? 2 : 1
      from++
    }
    return from
  }
  return (start, end) =>
    content === arrived ? content.subarray(start, end) : arrived.subarray(arrivedAt(start), arrivedAt(end))
}

const CR = 13
const LF = 10

const ENCODE = 'Encode its part as quoted-printable or base64.'
const SIGNED =
  'It belongs to a signed part, which stays as it is; encode it as quoted-printable or base64 before signing.'
const NO_PART =
  'It is in nothing that could be encoded here; break the line, or encode its part as quoted-printable or base64.'

/** Names the first line that SMTP does not carry; undefined where it carries them all. */
function refuseUnfit(content: Buffer, start: number, end: number, advice: string): Refusal | undefined {
  const stretch = content.subarray(start, end)
  const long = findLongLine(stretch, LONGEST_LINE)
  const nul = stretch.indexOf(0)
  if (nul !== -1 && (!long || nul < long.start)) {
    // RFC 5321 §4.5.2 has no way to send it, and receivers cut, strip or refuse it.
    return unusable(`Line ${lineAt(content, start + nul)} of the message contains NUL. ${advice}`)
  }
  if (!long) return undefined
  const line = lineAt(content, start + long.start)
  return unusable(
    `Line ${line} of the message has ${long.octets} octets; ${LONGEST_LINE} is the most. ${advice}`,
  )
}

/** Counted from 1. */
function lineAt(content: Buffer, offset: number): number {
  let line = 1
  for (let at = 0; at < offset; at++) if (content[at] === LF) line++
  return line
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function unusable(detail: string): Refusal {
  return { kind: 'content-invalid', detail }
}
