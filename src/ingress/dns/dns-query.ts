/** One DNS query as far as an authoritative server must understand it. */
export interface DnsQuery {
  readonly id: number
  /** The opcode and RD as they came, for the answer to repeat. */
  readonly opcode: number
  readonly recursionDesired: boolean
  /** The question's octets as they came: the answer repeats them, the case of every letter included, because
   *  resolvers hide a nonce in it (draft-vixie-dnsext-dns0x20). */
  readonly question: Buffer
  /** In lower case, without the final dot, '' for the root; octets no host name has as `\DDD` (RFC 1035 §5.1). */
  readonly name: string
  readonly type: number
  readonly class: number
  readonly edns?: Edns
}

export interface Edns {
  readonly version: number
  /** How much UDP the asker takes, in octets. */
  readonly payloadSize: number
  readonly dnssecOk: boolean
}

/** `ignored`: no query, and an answer could start a loop. `malformed`: worth a FORMERR. */
export type ParsedQuery =
  | { readonly kind: 'query'; readonly query: DnsQuery }
  | {
      readonly kind: 'malformed'
      readonly id: number
      readonly opcode: number
      readonly recursionDesired: boolean
    }
  | { readonly kind: 'ignored' }

export const HEADER_OCTETS = 12
const OPT = 41

/** Parses what a stranger sent, without trusting a single length in it. */
export function parseQuery(message: Buffer): ParsedQuery {
  if (message.length < HEADER_OCTETS) return { kind: 'ignored' }
  const flags = message.readUInt16BE(2)
  if (flags & 0x8000) return { kind: 'ignored' }
  const header = {
    id: message.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
  }
  const counts = [4, 6, 8, 10].map((offset) => message.readUInt16BE(offset))
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = counts
  // RFC 9619 §4: a QUERY has exactly one question.
  const question = questions === 1 ? readQuestion(message) : undefined
  if (!question) return { kind: 'malformed', ...header }
  const edns = readEdns(message, question.end, answers + authorities + additionals)
  if (edns === 'malformed') return { kind: 'malformed', ...header }
  const { name, type, class: klass, end } = question
  const query = { ...header, question: message.subarray(HEADER_OCTETS, end), name, type, class: klass }
  return { kind: 'query', query: edns ? { ...query, edns } : query }
}

/** Where the question of a message ends; at the header's end where it has none that can be read. */
export function questionEnd(message: Buffer): number {
  return readQuestion(message)?.end ?? HEADER_OCTETS
}

function readQuestion(message: Buffer) {
  const name = readName(message, HEADER_OCTETS)
  if (!name || name.end + 4 > message.length) return undefined
  return {
    name: name.text,
    type: message.readUInt16BE(name.end),
    class: message.readUInt16BE(name.end + 2),
    end: name.end + 4,
  }
}

/** The OPT record among `count` records (RFC 6891 §6.1), past all others unread. */
function readEdns(message: Buffer, start: number, count: number): Edns | undefined | 'malformed' {
  let edns: Edns | undefined
  let offset = start
  for (let i = 0; i < count; i++) {
    const owner = skipName(message, offset)
    if (owner === undefined || owner + 10 > message.length) return 'malformed'
    const end = owner + 10 + message.readUInt16BE(owner + 8)
    if (end > message.length) return 'malformed'
    if (message.readUInt16BE(owner) === OPT) {
      // RFC 6891 §6.1.1: at most one, owned by the root.
      if (edns || owner !== offset + 1) return 'malformed'
      edns = {
        payloadSize: message.readUInt16BE(owner + 2),
        version: message.readUInt8(owner + 5),
        dnssecOk: (message.readUInt8(owner + 6) & 0x80) !== 0,
      }
    }
    offset = end
  }
  return edns
}

/** A name without compression: in the first question there is nothing before it to point at. */
function readName(message: Buffer, start: number): { text: string; end: number } | undefined {
  const labels: string[] = []
  let offset = start
  for (;;) {
    const length = message[offset]
    if (length === undefined || length > 63) return undefined
    if (length === 0) return { text: labels.join('.'), end: offset + 1 }
    const next = offset + 1 + length
    // RFC 1035 §3.1: 255 octets, the root's included.
    if (next >= message.length || next + 1 - start > 255) return undefined
    labels.push(labelText(message.subarray(offset + 1, next)))
    offset = next
  }
}

function labelText(label: Buffer): string {
  let text = ''
  for (const octet of label) {
    const plain = octet > 0x20 && octet < 0x7f && octet !== 0x2e && octet !== 0x5c
    text += plain ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, '0')}`
  }
  return text.toLowerCase()
}

/** The octets of a question's name as they came. */
export function nameOctets(question: Buffer): Buffer {
  return question.subarray(0, question.length - 4)
}

/** Where the name at `start` ends; a pointer (RFC 1035 §4.1.4) ends it and is not followed. */
export function skipName(message: Buffer, start: number): number | undefined {
  let offset = start
  for (;;) {
    const length = message[offset]
    if (length === undefined) return undefined
    if (length === 0) return offset + 1
    if ((length & 0xc0) === 0xc0) return offset + 2
    if (length > 63) return undefined
    offset += 1 + length
  }
}
