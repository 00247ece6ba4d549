import { isIPv4, isIPv6 } from 'node:net'
import { parseDomainName } from '#protocol/domain-name.ts'
import { parseOwnerName } from '#protocol/owner-name.ts'
import { readText, writeText } from './record-text.ts'
import type { CaaData, RecordData, SrvData, SshfpData, TlsaData } from './zone-record.ts'

/** What a type of record may hold: read from the text that the API shows, written back as that text. */
export interface RecordTypeRules {
  /** The data, or what is wrong with the text, as a sentence. `priority` counts for the types that have it. */
  readonly read: (content: string, priority: number | null) => RecordData | string
  /** The same for the parts of a content, where the API takes them one by one; the text that they make. */
  readonly join?: (parts: Readonly<Record<string, unknown>>) => string
  /** Whether the API's field `priority` belongs to it. */
  readonly needsPriority?: true
}

export type RecordType =
  | 'A'
  | 'AAAA'
  | 'CAA'
  | 'CNAME'
  | 'MX'
  | 'NS'
  | 'PTR'
  | 'SRV'
  | 'SSHFP'
  | 'TLSA'
  | 'TXT'

export const RECORD_TYPES: Readonly<Record<RecordType, RecordTypeRules>> = {
  A: {
    read: (text) =>
      isIPv4(text) ? { type: 'A', data: text } : 'The content of an A record is an IPv4 address: 192.0.2.1.',
  },
  AAAA: {
    read: (text) =>
      isIPv6(text) && !text.includes('%')
        ? { type: 'AAAA', data: shortest(text) }
        : 'The content of an AAAA record is an IPv6 address: 2001:db8::1.',
  },
  CAA: {
    read: readCaa,
    join: ({ flags = 0, tag, value }) => `${plain(flags)} ${plain(tag)} ${plain(value)}`,
  },
  CNAME: { read: (text) => named('CNAME', parseOwnerName(text)) },
  MX: { read: readMx, needsPriority: true },
  NS: { read: (text) => named('NS', parseDomainName(bare(text))) },
  PTR: { read: (text) => named('PTR', parseDomainName(bare(text))) },
  SRV: {
    read: readSrv,
    join: ({ priority, weight, port, target }) => [priority, weight, port, target].map(plain).join(' '),
  },
  SSHFP: {
    read: readSshfp,
    join: ({ algorithm, type, fingerprint }) => [algorithm, type, fingerprint].map(plain).join(' '),
  },
  TLSA: {
    read: readTlsa,
    join: ({ usage, selector, matching_type: matching, certificate }) =>
      [usage, selector, matching, certificate].map(plain).join(' '),
  },
  TXT: {
    read(content) {
      const text = readText(content)
      return 'fault' in text ? text.fault : { type: 'TXT', text: text.text }
    },
  },
}

export function isRecordType(type: string): type is RecordType {
  return Object.hasOwn(RECORD_TYPES, type)
}

/** The one text of a record's data: what the API shows and the store keeps. An MX's preference is beside it. */
export function contentOf(data: RecordData): string {
  switch (data.type) {
    case 'MX':
      return data.exchange === '' ? '.' : data.exchange
    case 'TXT':
      return writeText(data.text)
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${data.target === '' ? '.' : data.target}`
    case 'CAA':
      return `${data.flags} ${data.tag} "${data.value}"`
    case 'SSHFP':
      return `${data.algorithm} ${data.hash} ${data.fingerprint}`
    case 'TLSA':
      return `${data.usage} ${data.selector} ${data.matchingType} ${data.certificate}`
    case 'SOA':
      throw new Error('a zone makes its SOA record itself')
    default:
      return data.data
  }
}

/** The parts of a content, in the API's names; undefined for the types that have none. */
export function partsOf(data: RecordData): Readonly<Record<string, string | number>> | undefined {
  switch (data.type) {
    case 'SRV':
      return { ...pick(data, ['priority', 'weight', 'port']), target: data.target === '' ? '.' : data.target }
    case 'CAA':
      return pick(data, ['flags', 'tag', 'value'])
    case 'SSHFP':
      return { algorithm: data.algorithm, type: data.hash, fingerprint: data.fingerprint }
    case 'TLSA':
      return { ...pick(data, ['usage', 'selector', 'certificate']), matching_type: data.matchingType }
    default:
      return undefined
  }
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  // The keys are the object's own.
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>
}

function plain(part: unknown): string {
  return typeof part === 'string' || typeof part === 'number' ? String(part) : ''
}

/** RFC 5952, so that one address has one text. */
function shortest(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

function bare(name: string): string {
  return name.replace(/\.$/, '')
}

function named<T extends 'CNAME' | 'NS' | 'PTR'>(
  type: T,
  name: string | { readonly detail: string },
): { readonly type: T; readonly data: string } | string {
  return typeof name === 'string' ? { type, data: name } : `The content of the record: ${name.detail}`
}

function readMx(text: string, priority: number | null): RecordData | string {
  const preference = priority ?? 0
  if (!isUnsigned(preference, 16)) return 'The priority of an MX record is a number from 0 to 65535.'
  // RFC 7505 §3: a null MX stands for no mail at all.
  if (text === '.')
    return preference === 0
      ? { type: 'MX', preference, exchange: '' }
      : 'A null MX (".") has the priority 0 (RFC 7505).'
  const exchange = parseDomainName(bare(text))
  if (typeof exchange !== 'string') return `The content of an MX record is a host name: ${exchange.detail}`
  return { type: 'MX', preference, exchange }
}

function readSrv(text: string): SrvData | string {
  const [priority, weight, port, target = '', ...more] = text.trim().split(/\s+/)
  const numbers = [priority, weight, port].map(unsigned)
  const [p, w, o] = numbers
  if (more.length > 0 || p === undefined || w === undefined || o === undefined)
    return 'The content of an SRV record is a priority, a weight, a port and a target: 10 5 587 smtp.example.com.'
  if (!numbers.every((number) => isUnsigned(number, 16)))
    return 'Priority, weight and port of an SRV record are numbers from 0 to 65535.'
  // RFC 2782: the root says that there is no such service.
  const host = target === '.' ? '' : parseDomainName(bare(target))
  if (typeof host !== 'string') return `The target of an SRV record is a host name: ${host.detail}`
  return { type: 'SRV', priority: p, weight: w, port: o, target: host }
}

// RFC 8659 §4.2: printable ASCII, of which ours is without what would need an escape.
const CAA = /^(\d{1,3})\s+([A-Za-z0-9]{1,15})\s+(?:"([!#-[\]-~ ]*)"|([!#-[\]-~ ]*))$/

const CAA_TAGS = ['issue', 'issuewild', 'iodef'] as const

function readCaa(text: string): CaaData | string {
  const [, digits, word, quoted, open] = CAA.exec(text.trim()) ?? []
  const flags = unsigned(digits)
  const tag = CAA_TAGS.find((known) => known === word?.toLowerCase())
  const value = quoted ?? open ?? ''
  if (flags === undefined || flags > 255 || !tag || value.length > 1024)
    return `The content of a CAA record is flags, a tag (${CAA_TAGS.join(', ')}) and a value: 0 issue "letsencrypt.org".`
  return { type: 'CAA', flags, tag, value }
}

const FINGERPRINT_OCTETS: Readonly<Record<number, number>> = { 1: 20, 2: 32 }

function readSshfp(text: string): SshfpData | string {
  const [algorithm, hash, ...hex] = text.trim().split(/\s+/)
  const fingerprint = hex.join('').toLowerCase()
  const [a, h] = [unsigned(algorithm), unsigned(hash)]
  const octets = h === undefined ? undefined : FINGERPRINT_OCTETS[h]
  if (a === undefined || a > 255 || h === undefined || octets === undefined || !isHex(fingerprint, octets))
    return 'The content of an SSHFP record is an algorithm, a hash (1 is SHA-1, 2 is SHA-256) and its fingerprint in hex.'
  return { type: 'SSHFP', algorithm: a, hash: h, fingerprint }
}

function readTlsa(text: string): TlsaData | string {
  const [usage, selector, matching, ...hex] = text.trim().split(/\s+/)
  const certificate = hex.join('').toLowerCase()
  const [u, s, m] = [unsigned(usage), unsigned(selector), unsigned(matching)]
  // RFC 6698 §2.1.3: 1 is SHA-256, 2 is SHA-512, 0 the whole.
  const octets = m === 1 ? 32 : m === 2 ? 64 : undefined
  if (u === undefined || s === undefined || m === undefined || !isHex(certificate, octets))
    return 'The content of a TLSA record is a usage, a selector, a matching type and data in hex: 3 1 1 …'
  if (u > 3 || s > 1 || m > 2)
    return 'A TLSA record has a usage from 0 to 3, a selector 0 or 1 and a matching type from 0 to 2 (RFC 6698).'
  return { type: 'TLSA', usage: u, selector: s, matchingType: m, certificate }
}

function isHex(text: string, octets: number | undefined): boolean {
  if (!/^(?:[0-9a-f]{2})+$/.test(text) || text.length > 4096) return false
  return octets === undefined || text.length === octets * 2
}

function unsigned(digits: string | undefined): number | undefined {
  return digits !== undefined && /^\d{1,5}$/.test(digits) ? Number(digits) : undefined
}

function isUnsigned(number: number | undefined, bits: 16): boolean {
  return number !== undefined && Number.isInteger(number) && number >= 0 && number < 2 ** bits
}
