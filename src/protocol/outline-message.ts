import { firstValue, type ReadField, readHeader } from './read-header.ts'

/** Where the parts of a message lie, found in one pass and without decoding anything. */
export interface Outline {
  readonly header: readonly ReadField[]
  readonly parts: readonly OutlinePart[]
  /** There is more than was looked at: too many parts, or too many lines that could delimit one. */
  readonly cutShort: boolean
}

/** A part that holds content, not other parts. */
export interface OutlinePart {
  /** Media type in lower case, without parameters. */
  readonly type: string
  readonly charset: string | undefined
  /** Content-Transfer-Encoding in lower case. */
  readonly encoding: string
  /** Content-Disposition in lower case; empty where the part has none. */
  readonly disposition: string
  readonly fileName: string
  readonly start: number
  readonly end: number
}

export const MAX_PARTS = 1_000
/** Each line that starts with `--` is compared with every open boundary. */
const MAX_DELIMITER_LINES = 20_000
const MAX_DEPTH = 20
const HEADER_LIMITS = { fields: 1_000, bytes: 256 * 1024 }
const PART_HEADER_LIMITS = { fields: 100, bytes: 16 * 1024 }
const MAX_PARAMETERS = 4 * 1024
const LINE_DASHES = Buffer.from('\n--')
const LF = 10
const CR = 13

/** Never fails: whatever does not read as MIME (RFC 2045, 2046) is one text part. */
export function outlineMessage(raw: Buffer): Outline {
  const parts: OutlinePart[] = []
  const boundaries: string[] = []
  const root = readHeader(raw, 0, HEADER_LIMITS)
  let open = openPart(root.fields, root.bodyStart, boundaries)
  let at = root.bodyStart
  let cutShort = false

  const close = (end: number) => {
    if (open) parts.push({ ...open, end: Math.max(open.start, end) })
    open = undefined
  }
  for (let lines = 0; boundaries.length > 0; lines++) {
    const before = raw.indexOf(LINE_DASHES, at - 1)
    if (before === -1) break
    if (parts.length >= MAX_PARTS || lines >= MAX_DELIMITER_LINES) {
      cutShort = true
      break
    }
    const lf = raw.indexOf(LF, before + 1)
    const next = lf === -1 ? raw.length : lf + 1
    at = next
    const delimiter = matchDelimiter(
      raw.toString('latin1', before + 3, Math.min(next, before + 512)),
      boundaries,
    )
    if (delimiter === undefined) continue
    close(raw[before - 1] === CR ? before - 1 : before)
    // RFC 2046 §5.1.2: the delimiter of an outer multipart ends the inner ones as well.
    boundaries.length = delimiter.closes ? delimiter.depth : delimiter.depth + 1
    if (delimiter.closes) continue
    const header = readHeader(raw, next, PART_HEADER_LIMITS)
    open = openPart(header.fields, header.bodyStart, boundaries)
    at = header.bodyStart
  }
  close(raw.length)
  return { header: root.fields, parts, cutShort }
}

/** Begins a part; one that is a multipart adds its boundary instead and holds nothing itself. */
function openPart(
  fields: readonly ReadField[],
  start: number,
  boundaries: string[],
): Omit<OutlinePart, 'end'> | undefined {
  const contentType = parameters(fields, 'content-type')
  const disposition = parameters(fields, 'content-disposition')
  const type = firstToken(contentType) || 'text/plain'
  const boundary = parameter(contentType, 'boundary')
  if (type.startsWith('multipart/') && boundary && boundaries.length < MAX_DEPTH) {
    boundaries.push(Buffer.from(boundary).toString('latin1'))
    return undefined
  }
  return {
    type,
    charset: parameter(contentType, 'charset'),
    encoding: firstToken(firstValue(fields, 'content-transfer-encoding') ?? ''),
    disposition: firstToken(disposition),
    fileName: parameter(disposition, 'filename') ?? parameter(contentType, 'name') ?? '',
    start,
  }
}

/** RFC 2046 §5.1.1: white space may follow a delimiter on its line. The innermost boundary is asked first. */
function matchDelimiter(
  line: string,
  boundaries: readonly string[],
): { readonly depth: number; readonly closes: boolean } | undefined {
  for (let depth = boundaries.length - 1; depth >= 0; depth--) {
    const boundary = boundaries[depth] ?? ''
    if (!line.startsWith(boundary)) continue
    const rest = line.slice(boundary.length).trimEnd()
    if (rest === '' || rest === '--') return { depth, closes: rest === '--' }
  }
  return undefined
}

function parameters(fields: readonly ReadField[], name: string): string {
  return (firstValue(fields, name) ?? '').slice(0, MAX_PARAMETERS)
}

function firstToken(value: string): string {
  return (/^[^\s;()]*/.exec(value)?.[0] ?? '').toLowerCase()
}

/** A parameter (RFC 2045 §5.1), or its extended form in one piece (RFC 2231 §4). Good enough to count, to search and to
 *  find boundaries; what is shown comes from the full parse. */
function parameter(value: string, name: 'boundary' | 'charset' | 'filename' | 'name'): string | undefined {
  const match = PARAMETER[name].exec(value)
  const plain = match?.groups?.quoted?.replace(/\\(.)/g, '$1') ?? match?.groups?.token
  const extended = match?.groups?.extended
  if (extended === undefined) return plain
  try {
    return decodeURIComponent(extended)
  } catch {
    return extended
  }
}

const PARAMETER = {
  boundary: pattern('boundary'),
  charset: pattern('charset'),
  filename: pattern('filename'),
  name: pattern('name'),
} as const

function pattern(name: string): RegExp {
  return new RegExp(
    `;\\s*${name}(?:\\*=[^']{0,40}'[^']{0,40}'(?<extended>[^\\s;]*)|\\s*=\\s*(?:"(?<quoted>(?:\\\\.|[^"\\\\])*)"|(?<token>[^\\s;"]+)))`,
    'is',
  )
}
