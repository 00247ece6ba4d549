import { type HeaderBlock, type HeaderField, parseHeaderBlock } from '#protocol/header-block.ts'
import { type MimeHeader, readMimeHeader, withoutBlanksAtEnd } from './mime-header.ts'

/** One part of a message, or the message itself. */
export interface Part extends MimeHeader {
  /** Offsets count from `headerStart`. */
  readonly fields: readonly HeaderField[]
  readonly headerStart: number
  /** Where the last of its fields ends. */
  readonly fieldsEnd: number
  readonly isRoot: boolean
  /** It is a multipart/signed, or belongs to one (RFC 1847 §2.1). */
  readonly signed: boolean
}

/** A stretch of the body: every octet of it is in the header of one part, in one leaf or in one `between`. */
export type Piece =
  /** A part that holds others; its header, that is. */
  | { readonly kind: 'composite'; readonly part: Part }
  /** A part that holds content, from `start` to `end`. `isDelimiter` tells whether a line, without its line end, would
   *  end it. */
  | {
      readonly kind: 'leaf'
      readonly part: Part
      readonly start: number
      readonly end: number
      readonly isDelimiter: (line: string) => boolean
    }
  /** Preambles, delimiters and epilogues, and whatever cannot be read as MIME. */
  | { readonly kind: 'between'; readonly start: number; readonly end: number }

const MAX_DEPTH = 100
const MAX_PARTS = 10_000
const PART_HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 } as const
const SIGNED = 'multipart/signed'
const DASHES = Buffer.from('\n--')
const LF = 10
const DASH = 45

/** A part whose header was read; where its body starts, and how many parts it lies in. */
interface Entered {
  readonly part: Part
  readonly bodyStart: number
  readonly depth: number
}

/** What is open until the next delimiter: a leaf, or what is no part. */
interface Pending {
  readonly leaf?: Part
  readonly start: number
}

/** The body of a message in pieces, first to last (RFC 2046 §5.1, §5.2.1). In: CRLF line ends only. Time and memory are
 *  linear in the size: each line is looked at once, and what lies deeper or later than the limits is `between`. A
 *  multipart that is not closed ends with what contains it. */
export function* walkParts(content: Buffer, root: HeaderBlock): Generator<Piece> {
  const multiparts = openMultiparts()
  const { fields, bodyStart } = root
  const mime = readMimeHeader(fields, 'text/plain')
  if (!mime) return yield { kind: 'between', start: bodyStart, end: content.length }
  const signed = mime.type === SIGNED
  const part = { ...mime, fields, headerStart: bodyStart, fieldsEnd: bodyStart, isRoot: true, signed }
  let pending = yield* enter(content, { part, bodyStart, depth: 0 }, multiparts)
  for (let parts = 0; ; parts++) {
    const delimiter = findDelimiter(content, pending.start, multiparts)
    // RFC 2046 §5.1.1: the line end before a delimiter belongs to it.
    const end = delimiter ? Math.max(pending.start, delimiter.start - 2) : content.length
    if (pending.leaf) {
      const isDelimiter = (line: string) => multiparts.match(line) !== undefined
      yield { kind: 'leaf', part: pending.leaf, start: pending.start, end, isDelimiter }
    }
    const between = pending.leaf ? end : pending.start
    if (!delimiter || parts === MAX_PARTS) {
      if (between < content.length) yield { kind: 'between', start: between, end: content.length }
      return
    }
    yield { kind: 'between', start: between, end: delimiter.end }
    multiparts.closeTo(delimiter.closes ? delimiter.index : delimiter.index + 1)
    const header = delimiter.closes ? undefined : readHeader(content, delimiter.end, multiparts, delimiter)
    pending = header
      ? yield* enter(content, { ...header, depth: delimiter.depth }, multiparts)
      : { start: delimiter.end }
  }
}

/** Opens a multipart, and the message within a message/rfc822, down to what is neither. */
function* enter(content: Buffer, entered: Entered, multiparts: Multiparts): Generator<Piece, Pending> {
  let { part, bodyStart, depth } = entered
  while (isComposite(part)) {
    yield { kind: 'composite', part }
    const isMultipart = part.type.startsWith('multipart/')
    if (depth === MAX_DEPTH) return { start: bodyStart }
    depth++
    if (isMultipart) {
      multiparts.open(part, depth)
      return { start: bodyStart }
    }
    const inner = readHeader(content, bodyStart, multiparts, { type: part.type, signed: part.signed })
    if (!inner) return { start: bodyStart }
    ;({ part, bodyStart } = inner)
  }
  return { leaf: part, start: bodyStart }
}

/** RFC 2046 §5.1, §5.2.1; RFC 6532 §3.7. A message that is encoded, as it may not be, is content like any other. A
 *  multipart never is: readers look for its delimiters whatever it says. */
function isComposite({ type, encoding }: Part): boolean {
  if (type.startsWith('multipart/')) return true
  return (
    (type === 'message/rfc822' || type === 'message/global') &&
    (encoding === 'plain' || encoding === 'binary')
  )
}

/** The header that starts at `start`: it ends with a blank line, or where the part does. Undefined where it cannot be
 *  read the same way by everybody. */
function readHeader(
  content: Buffer,
  start: number,
  multiparts: Multiparts,
  container: { readonly type: string; readonly signed: boolean },
): { readonly part: Part; readonly bodyStart: number } | undefined {
  let at = start
  let bodyStart = content.length
  while (at < content.length) {
    const lf = content.indexOf(LF, at)
    const next = lf === -1 ? content.length : lf + 1
    if (lf === at + 1) {
      bodyStart = next
      break
    }
    if (content[at] === DASH && multiparts.match(lineAt(content, at, lf))) {
      bodyStart = at
      break
    }
    at = next
  }
  const block = parseHeaderBlock(content.subarray(start, at), PART_HEADER_LIMITS)
  if ('fault' in block) return undefined
  // RFC 2046 §5.1.5.
  const defaultType = container.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain'
  const mime = readMimeHeader(block.fields, defaultType)
  if (!mime) return undefined
  const signed = container.signed || mime.type === SIGNED
  const part = { ...mime, fields: block.fields, headerStart: start, fieldsEnd: at, isRoot: false, signed }
  return { part, bodyStart }
}

interface Delimiter extends OpenMultipart {
  /** Of its line. */
  readonly start: number
  /** Of its line, the line end included. */
  readonly end: number
  readonly closes: boolean
}

function findDelimiter(content: Buffer, from: number, multiparts: Multiparts): Delimiter | undefined {
  if (multiparts.isEmpty()) return undefined
  let at = content.indexOf(DASHES, Math.max(from - 1, 0))
  while (at !== -1) {
    const lf = content.indexOf(LF, at + 1)
    const match = multiparts.match(lineAt(content, at + 1, lf))
    if (match) return { start: at + 1, end: lf === -1 ? content.length : lf + 1, ...match }
    at = lf === -1 ? -1 : content.indexOf(DASHES, lf)
  }
  return undefined
}

function lineAt(content: Buffer, start: number, lf: number): string {
  return content.toString('latin1', start, lf === -1 ? content.length : lf - 1)
}

interface OpenMultipart {
  readonly boundary: string
  readonly type: string
  readonly signed: boolean
  /** How many parts its parts lie in. */
  readonly depth: number
  /** Among the open ones. */
  readonly index: number
  /** One around it with the same boundary, whose delimiters are its own as long as it is open. */
  readonly hidden: OpenMultipart | undefined
}

type Multiparts = ReturnType<typeof openMultiparts>

/** The multiparts that the walk is in, outermost first, with their boundaries in a map, so that a line costs one look
 *  whatever the depth. */
function openMultiparts() {
  const open: OpenMultipart[] = []
  const byBoundary = new Map<string, OpenMultipart>()
  return {
    /** One without a boundary has no delimiters of its own: it ends with what contains it. */
    open({ boundary, type, signed }: Part, depth: number): void {
      if (boundary === undefined) return
      const hidden = byBoundary.get(boundary)
      const multipart = { boundary, type, signed, depth, index: open.length, hidden }
      byBoundary.set(boundary, multipart)
      open.push(multipart)
    },
    closeTo(length: number): void {
      for (const { boundary, hidden } of open.splice(length).toReversed()) {
        if (hidden) byBoundary.set(boundary, hidden)
        else byBoundary.delete(boundary)
      }
    },
    isEmpty: (): boolean => open.length === 0,
    /** RFC 2046 §5.1.1: white space may follow a delimiter on its line. In: a line without its line end. */
    match(line: string): (OpenMultipart & { readonly closes: boolean }) | undefined {
      if (!line.startsWith('--')) return undefined
      const text = withoutBlanksAtEnd(line).slice(2)
      const opened = byBoundary.get(text)
      if (opened) return { ...opened, closes: false }
      const closed = text.endsWith('--') ? byBoundary.get(text.slice(0, -2)) : undefined
      return closed && { ...closed, closes: true }
    },
  }
}
