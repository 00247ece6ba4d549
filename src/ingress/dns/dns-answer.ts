import dnsPacket, { type Answer } from 'dns-packet'
import type { Authority, AuthorityAnswer } from '#registry/domains/authority.ts'
import type { ZoneRecord } from '#registry/domains/zone-record.ts'
import { type DnsQuery, type Edns, HEADER_OCTETS, nameOctets, parseQuery, skipName } from './dns-query.ts'

export type Transport = 'udp' | 'tcp'

const RCODE = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  badVers: 16,
} as const
type Rcode = (typeof RCODE)[keyof typeof RCODE]

const OPCODE_QUERY = 0
const CLASS_IN = 1
const TYPE_NAME: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  43: 'DS',
  44: 'SSHFP',
  52: 'TLSA',
  255: 'ANY',
  257: 'CAA',
}

// RFC 1035 §4.2.1 without EDNS; with it, what no common path has to fragment (DNS flag day 2020).
const UDP_OCTETS_PLAIN = 512
const UDP_OCTETS_EDNS = 1232
// RFC 1035 §4.2.2: the length before a message has 16 bits.
const TCP_OCTETS = 65_535

/** The reply to one message, `undefined` where silence is the right one. Rejects only when the authority does: its
 *  caller answers with `serverFailure`. */
export async function answerMessage(
  message: Buffer,
  transport: Transport,
  authority: Authority,
): Promise<Buffer | undefined> {
  const parsed = parseQuery(message)
  if (parsed.kind === 'ignored') return undefined
  if (parsed.kind === 'malformed') return reply({ ...parsed, rcode: RCODE.formErr })
  const { query } = parsed
  const refusal = unanswerable(query)
  if (refusal !== undefined) return reply({ ...query, rcode: refusal })
  const whole = fromAuthority(query, await authority.answers(query.name, typeName(query.type)))
  return whole.length > (transport === 'udp' ? udpLimit(query.edns) : TCP_OCTETS) ? truncated(query) : whole
}

/** Nothing but that the question is to be asked again over TCP (RFC 2181 §9). */
export function truncatedAnswer(message: Buffer): Buffer | undefined {
  const parsed = parseQuery(message)
  return parsed.kind === 'query' ? truncated(parsed.query) : undefined
}

function truncated(query: DnsQuery): Buffer {
  return reply({ ...query, rcode: RCODE.noError, authoritative: true, truncated: true })
}

/** SERVFAIL for a message whose answer could not be found out. */
export function serverFailure(message: Buffer): Buffer | undefined {
  const parsed = parseQuery(message)
  return parsed.kind === 'query' ? reply({ ...parsed.query, rcode: RCODE.servFail }) : undefined
}

function unanswerable(query: DnsQuery): Rcode | undefined {
  if (query.opcode !== OPCODE_QUERY) return RCODE.notImp
  // RFC 6891 §6.1.3: a version we do not speak.
  if (query.edns && query.edns.version > 0) return RCODE.badVers
  // Zone transfers and other meta types (RFC 6895 §3.1), and every class but IN. ANY has an answer.
  if (query.class !== CLASS_IN) return RCODE.refused
  if (query.type >= 128 && query.type < 255) return RCODE.refused
  return undefined
}

function typeName(type: number): string {
  return TYPE_NAME[type] ?? `TYPE${type}`
}

function udpLimit(edns: Edns | undefined): number {
  return edns ? Math.min(Math.max(edns.payloadSize, UDP_OCTETS_PLAIN), UDP_OCTETS_EDNS) : UDP_OCTETS_PLAIN
}

function fromAuthority(query: DnsQuery, answer: AuthorityAnswer): Buffer {
  if (answer.kind === 'refused') return reply({ ...query, rcode: RCODE.refused })
  if (answer.kind === 'referral')
    return reply({
      ...query,
      rcode: RCODE.noError,
      // RFC 1035 §4.1.1: AA speaks of the first name of the answer: an alias that led here is ours.
      authoritative: answer.records.length > 0,
      answers: answer.records,
      authorities: answer.nameServers,
      additionals: answer.glue,
    })
  return reply({
    ...query,
    rcode: answer.kind === 'nxdomain' ? RCODE.nxDomain : RCODE.noError,
    authoritative: true,
    answers: answer.records,
    // RFC 2308 §3: the SOA of an absence tells for how long it may be believed.
    authorities: answer.kind === 'answer' ? [] : [answer.soa],
  })
}

interface Reply {
  readonly id: number
  readonly opcode: number
  readonly recursionDesired: boolean
  readonly rcode: Rcode
  readonly question?: Buffer
  readonly edns?: Edns
  readonly authoritative?: boolean
  readonly truncated?: boolean
  readonly answers?: readonly ZoneRecord[]
  readonly authorities?: readonly ZoneRecord[]
  readonly additionals?: readonly ZoneRecord[]
}

function reply(parts: Reply): Buffer {
  const { id, opcode, rcode, question = Buffer.alloc(0), edns } = parts
  const flags =
    (opcode << 11) |
    (parts.authoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0) |
    (parts.truncated ? dnsPacket.TRUNCATED_RESPONSE : 0) |
    (parts.recursionDesired ? dnsPacket.RECURSION_DESIRED : 0) |
    (rcode & 0xf)
  const sections = dnsPacket.encode({
    type: 'response',
    id,
    flags,
    answers: (parts.answers ?? []).map(packetAnswer),
    authorities: (parts.authorities ?? []).map(packetAnswer),
    additionals: [...(parts.additionals ?? []).map(packetAnswer), ...(edns ? [optRecord(edns, rcode)] : [])],
  })
  putAskedName(sections, parts.answers ?? [], question)
  sections.writeUInt16BE(question.length > 0 ? 1 : 0, 4)
  // The library would write its own reading of the name; names in the sections are not compressed, so octets may move.
  return Buffer.concat([sections.subarray(0, HEADER_OCTETS), question, sections.subarray(HEADER_OCTETS)])
}

// RFC 1035 §5.1: an octet that no host name has.
const ESCAPED = /\\\d{3}/g

/** The library writes a name's text as it stands, and `\DDD` is one octet. Such a name is the question's own, in whose place
 *  a wildcard stood: its octets are there. */
function putAskedName(sections: Buffer, answers: readonly ZoneRecord[], question: Buffer): void {
  if (!answers.some(({ name }) => name.includes('\\'))) return
  let offset = HEADER_OCTETS
  for (const { name } of answers) {
    const end = skipName(sections, offset)
    if (end === undefined) throw new Error('an answer of our own ends within a name')
    if (name.includes('\\')) nameOctets(question).copy(sections, offset)
    offset = end + 10 + sections.readUInt16BE(end + 8)
  }
}

function optRecord(edns: Edns, rcode: Rcode): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_OCTETS_EDNS,
    extendedRcode: rcode >> 4,
    ednsVersion: 0,
    // RFC 3225 §3: DO is repeated.
    flags: edns.dnssecOk ? dnsPacket.DNSSEC_OK : 0,
    flag_do: edns.dnssecOk,
    options: [],
  }
}

function packetAnswer(record: ZoneRecord): Answer {
  const { ttl } = record
  // As long as the octets that come into its place.
  const name = record.name.replaceAll(ESCAPED, 'x')
  switch (record.type) {
    case 'MX':
      return { type: 'MX', name, ttl, data: { preference: record.preference, exchange: record.exchange } }
    case 'TXT':
      return { type: 'TXT', name, ttl, data: characterStrings(record.text) }
    case 'SOA':
      return { type: 'SOA', name, ttl, data: record }
    case 'SRV': {
      const { priority, weight, port, target } = record
      return { type: 'SRV', name, ttl, data: { priority, weight, port, target } }
    }
    case 'CAA':
      return { type: 'CAA', name, ttl, data: { flags: record.flags, tag: record.tag, value: record.value } }
    case 'SSHFP': {
      const { algorithm, hash, fingerprint } = record
      return { type: 'SSHFP', name, ttl, data: { algorithm, hash, fingerprint } }
    }
    case 'TLSA': {
      const { usage, selector, matchingType } = record
      const certificate = Buffer.from(record.certificate, 'hex')
      return { type: 'TLSA', name, ttl, data: { usage, selector, matchingType, certificate } }
    }
    default:
      return { type: record.type, name, ttl, data: record.data }
  }
}

/** RFC 1035 §3.3: one character-string holds at most 255 octets. A TXT record has one at least. */
function characterStrings(text: string): Buffer[] {
  const octets = Buffer.from(text)
  const strings: Buffer[] = []
  for (let start = 0; start < octets.length || start === 0; start += 255)
    strings.push(octets.subarray(start, start + 255))
  return strings
}
