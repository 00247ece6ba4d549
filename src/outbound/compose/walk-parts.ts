import { type HeaderBlock, type HeaderField, parseHeaderBlock } from '#protocol/header-block.ts'
import { type MimeHeader, readMimeHeader } from './mime-header.ts'

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
  /** A part that holds content, from `start` to `end`. `holdsDelimiter` tells whether a body in its place would end it
   *  early, or might. */
  | {
      readonly kind: 'leaf'
      readonly part: Part
      readonly start: number
      readonly end: number
      readonly holdsDelimiter: (body: Buffer) => boolean
    }
  /** Preambles, delimiters and epilogues, and whatever cannot be read as MIME. */
  | { readonly kind: 'between'; readonly start: number; readonly end: number }

const MAX_DEPTH = 100
const MAX_PARTS = 10_000
const PART_HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 } as const
const SIGNED = 'multipart/signed'
/** Lines that could be a delimiter and are none; no message that means well has as many. */
const MOST_MISSES = 20_000
const LF = 10
const CR = 13
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
 *  linear in the size: each line is looked at once, and what lies deeper or later than the limits, or behind too many
 *  lines that only look like delimiters, is `between`. A multipart that is not closed ends with what contains it. */
export function* walkParts(content: Buffer, root: HeaderBlock): Generator<Piece> {
  const multiparts = openMultiparts()
  const search: Search = { multiparts, misses: 0 }
  const { fields, bodyStart } = root
  const mime = readMimeHeader(fields, 'text/plain')
  if (!mime) return yield { kind: 'between', start: bodyStart, end: content.length }
  const signed = mime.type === SIGNED
  const part = { ...mime, fields, headerStart: bodyStart, fieldsEnd: bodyStart, isRoot: true, signed }
  let pending = yield* enter(content, { part, bodyStart, depth: 0 }, search)
  for (let parts = 0; ; parts++) {
    const delimiter = findDelimiter(content, pending.start, search)
    // RFC 2046 §5.1.1: the line end before a delimiter belongs to it.
    const end = delimiter ? Math.max(pending.start, delimiter.start - 2) : content.length
    // Where the search was given up, nobody knows the leaf's end.
    const leaf = givenUp(search) ? undefined : pending.leaf
    if (leaf) {
      const holdsDelimiter = (body: Buffer) => {
        const ofBody: Search = { multiparts, misses: 0 }
        return findDelimiter(body, 0, ofBody) !== undefined || givenUp(ofBody)
      }
      yield { kind: 'leaf', part: leaf, start: pending.start, end, holdsDelimiter }
    }
    const between = leaf ? end : pending.start
    if (!delimiter || parts === MAX_PARTS) {
      if (between < content.length) yield { kind: 'between', start: between, end: content.length }
      return
    }
    yield { kind: 'between', start: between, end: delimiter.end }
    multiparts.closeTo(delimiter.closes ? delimiter.index : delimiter.index + 1)
    const header = delimiter.closes ? undefined : readHeader(content, delimiter.end, search, delimiter)
    pending = header
      ? yield* enter(content, { ...header, depth: delimiter.depth }, search)
      : { start: delimiter.end }
  }
}

/** Opens a multipart, and the message within a message/rfc822, down to what is neither. */
function* enter(content: Buffer, entered: Entered, search: Search): Generator<Piece, Pending> {
  let { part, bodyStart, depth } = entered
  while (isComposite(part)) {
    yield { kind: 'composite', part }
    const isMultipart = part.type.startsWith('multipart/')
    if (depth === MAX_DEPTH) return { start: bodyStart }
    depth++
    if (isMultipart) {
      search.multiparts.open(part, depth)
      return { start: bodyStart }
    }
    const inner = readHeader(content, bodyStart, search, { type: part.type, signed: part.signed })
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
  search: Search,
  container: { readonly type: string; readonly signed: boolean },
): { readonly part: Part; readonly bodyStart: number } | undefined {
  let at = start
  let bodyStart = content.length
  while (at < content.length) {
    if (at - start > PART_HEADER_LIMITS.bytes) return undefined
    const next = nextLine(content, at)
    if (content[at] === CR && next === at + 2) {
      bodyStart = next
      break
    }
    if (matchLine(content, at, next, search)) {
      bodyStart = at
      break
    }
    at = next
  }
  if (givenUp(search)) return undefined
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

interface Delimiter extends Match {
  /** Of its line. */
  readonly start: number
  /** Of its line, the line end included. */
  readonly end: number
}

/** How often a line could have been a delimiter of these multiparts and was none. */
interface Search {
  readonly multiparts: Multiparts
  misses: number
}

/** After so many that going on is not worth its cost. */
function givenUp({ misses }: Search): boolean {
  return misses > MOST_MISSES
}

/** In: the start of a line. */
function findDelimiter(content: Buffer, from: number, search: Search): Delimiter | undefined {
  if (search.multiparts.isEmpty()) return undefined
  for (let start = from; start < content.length && !givenUp(search); ) {
    const end = nextLine(content, start)
    const match = matchLine(content, start, end, search)
    if (match) return { start, end, ...match }
    start = end
  }
  return undefined
}

/** The multipart whose delimiter lies there. In: where a line lies, its line end included. */
function matchLine(content: Buffer, start: number, end: number, search: Search): Match | undefined {
  if (content[start] !== DASH || content[start + 1] !== DASH) return undefined
  const textStart = start + 2
  let textEnd = end
  // RFC 2046 §5.1.1: white space may follow a delimiter on its line.
  while (textEnd > textStart && isBlankOrLineEnd(content[textEnd - 1])) textEnd--
  // Nearly every other line that starts with dashes ends here.
  if (!search.multiparts.mayMatch(textEnd - textStart)) return undefined
  const match = search.multiparts.match(content.toString('latin1', textStart, textEnd))
  if (!match) search.misses++
  return match
}

/** Octet by octet: a call for each of a million short lines would cost more than all their octets. */
function nextLine(content: Buffer, start: number): number {
  let at = start
  while (at < content.length && content[at] !== LF) at++
  return Math.min(at + 1, content.length)
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

interface Match extends OpenMultipart {
  readonly closes: boolean
}

type Multiparts = ReturnType<typeof openMultiparts>

/** The multiparts that the walk is in, outermost first, with their boundaries in a map, so that a line costs one look
 *  whatever the depth. */
function openMultiparts() {
  const open: OpenMultipart[] = []
  const byBoundary = new Map<string, OpenMultipart>()
  let shortest = Infinity
  let longest = 0
  return {
    /** One without a boundary has no delimiters of its own: it ends with what contains it. */
    open({ boundary, type, signed }: Part, depth: number): void {
      if (boundary === undefined) return
      const hidden = byBoundary.get(boundary)
      const multipart = { boundary, type, signed, depth, index: open.length, hidden }
      byBoundary.set(boundary, multipart)
      open.push(multipart)
      // Those of closed ones may go on to count: they only make a line worth a look.
      shortest = Math.min(shortest, boundary.length)
      longest = Math.max(longest, boundary.length)
    },
    closeTo(length: number): void {
      for (const { boundary, hidden } of open.splice(length).toReversed()) {
        if (hidden) byBoundary.set(boundary, hidden)
        else byBoundary.delete(boundary)
      }
    },
    isEmpty: (): boolean => open.length === 0,
    /** Whether a line of so many octets, the dashes before them not counted, may be a delimiter. */
    mayMatch: (octets: number): boolean => octets >= shortest && octets <= longest + 2,
    /** In: what follows the dashes. */
    match(text: string): Match | undefined {
      const opened = byBoundary.get(text)
      if (opened) return { ...opened, closes: false }
      const closed = text.endsWith('--') ? byBoundary.get(text.slice(0, -2)) : undefined
      return closed && { ...closed, closes: true }
    },
  }
}

function isBlankOrLineEnd(octet: number | undefined): boolean {
  return octet === 32 || octet === 9 || octet === CR || octet === LF
}
