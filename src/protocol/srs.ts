import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Address } from '#model/address.ts'
import { decodeBase32, encodeBase32 } from './base32.ts'
import { parseDomainName } from './domain-name.ts'
import type { TagKey } from './keyed-tag.ts'

/** Sender rewriting: the envelope sender of a forward, in a domain whose SPF record lists us, from which a bounce finds
 *  its way back (SRS, Mengwong 2004; no RFC). In: the sender, the key. Out: an address, and the sender from it again.
 *  Promise: a local part that was not made with one of the keys, or too long ago, leads nowhere, so that nobody relays
 *  through us to an address of his choice.
 *
 *  `SRS0=<check>=<day>=<domain>=<local part>`, and for a sender that another forwarder rewrote
 *  `SRS1=<check and day>=<its domain>=<what follows its SRS0>`, which goes back to that forwarder, however many there
 *  were between. The check is the key's version and 50 bits of HMAC-SHA256, in base32; it does not see case, since hosts
 *  fold it. The local part stays readable, as postmasters and filters expect. */
export interface SrsOptions {
  /** The service's forwarding domain. */
  readonly domain: string
  readonly key: TagKey
  /** Milliseconds. */
  readonly now: number
}

/** A host tries for five days before it reports, and some for longer; two weeks more for mail that is found late. */
const LIFE_DAYS = 21
const DAY_MS = 86_400_000
/** The day is its number modulo this, two characters of base32; the check is over the whole number. */
const DAYS = 1024
/** RFC 5321 §4.5.3.1.3: 256 octets with the angle brackets. */
const MOST_OCTETS = 254

const VERSION_CHARS = 2
const MAC_CHARS = 10
const DAY_CHARS = 2

// No flag `i`: with `u` it takes foreign letters (U+017F, U+212A) for ours. Other forwarders have other separators.
const OTHERS_SRS0 = /^[Ss][Rr][Ss]0([=+-].*)$/su
const OTHERS_SRS1 = /^[Ss][Rr][Ss]1[=+-][^=]*=([^=]+)=([=+-].*)$/su
const OURS_SRS0 = /^[Ss][Rr][Ss]0=([A-Za-z2-7]{12})=([A-Za-z2-7]{2})=([\w.-]+)=(.+)$/su
const OURS_SRS1 = /^[Ss][Rr][Ss]1=([A-Za-z2-7]{12})([A-Za-z2-7]{2})=([\w.-]+)=([=+-].*)$/su

/** The address that a forward travels under. `sender` is the mailbox of MAIL FROM, not the null sender. One that is
 *  in our domain and rewritten already stays as it is. `unfit`: the domain is no name (an address literal), or the whole
 *  would have more than the 254 octets that an address may have.
 *
 *  A local part beyond 64 octets is sent all the same: senders who write one address per message fill the 64 alone, RFC
 *  5321 §4.5.3.1 lets a client try, and hosts take it, as they do from every forwarder that keeps no table. */
export function encodeSrs(sender: string, { domain, key, now }: SrsOptions): Address | 'unfit' {
  const at = sender.lastIndexOf('@')
  const senderDomain = readDomain(sender.slice(at + 1))
  if (at < 1 || senderDomain === undefined) return 'unfit'
  const content = unquote(sender.slice(0, at))
  const foreign = readForeign(content, senderDomain)
  if (foreign && senderDomain === domain) return `${sender.slice(0, at)}@${domain}` as Address
  const day = Math.floor(now / DAY_MS)
  const rewritten = foreign
    ? srs1({ ...foreign, day }, key)
    : srs0({ domain: senderDomain, rest: content, day }, key)
  const address = `${quote(rewritten)}@${domain}`
  return Buffer.byteLength(address) > MOST_OCTETS ? 'unfit' : (address as Address)
}

/** Whom a local part in the forwarding domain leads back to. `unknown`: it is none of ours; `forged`: it looks like one,
 *  and no key of ours made it; `expired`: it is ours, and older than 21 days. Survives hosts that fold case, which costs
 *  the sender's local part its case. Compares in constant time. */
export function decodeSrs(
  localPart: string,
  keys: readonly TagKey[],
  now: number,
): Address | 'unknown' | 'forged' | 'expired' {
  // The length first, so that a stranger's text costs nothing.
  if (localPart.length > MOST_OCTETS) return 'unknown'
  const content = unquote(localPart).normalize('NFC')
  const form = OURS_SRS0.test(content) ? 'srs0' : 'srs1'
  const [, check, day, domain, rest] = OURS_SRS0.exec(content) ?? OURS_SRS1.exec(content) ?? []
  if (check === undefined || day === undefined || domain === undefined || rest === undefined) return 'unknown'
  const today = Math.floor(now / DAY_MS)
  const made = latestDay(day, today)
  const key = keys.find(
    ({ version }) => encodeVersion(version) === check.slice(0, VERSION_CHARS).toLowerCase(),
  )
  if (made === undefined || !key) return 'forged'
  const expected = checkOf(form, { domain, rest, day: made }, key)
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(check.toLowerCase()))) return 'forged'
  if (today - made > LIFE_DAYS) return 'expired'
  const local = form === 'srs0' ? rest : `SRS0${rest}`
  return `${quote(local)}@${domain.toLowerCase()}` as Address
}

/** Of a sender that a forwarder rewrote: the first such forwarder, and what follows `SRS0` in its address. */
function readForeign(content: string, senderDomain: string): Omit<Rewritten, 'day'> | undefined {
  const rest = OTHERS_SRS0.exec(content)?.[1]
  if (rest !== undefined) return { domain: senderDomain, rest }
  const [, first = '', later] = OTHERS_SRS1.exec(content) ?? []
  const domain = readDomain(first)
  return later === undefined || domain === undefined ? undefined : { domain, rest: later }
}

interface Rewritten {
  readonly domain: string
  readonly rest: string
  readonly day: number
}

function srs0(sender: Rewritten, key: TagKey): string {
  return `SRS0=${checkOf('srs0', sender, key)}=${encodeDay(sender.day)}=${sender.domain}=${sender.rest}`
}

function srs1(sender: Rewritten, key: TagKey): string {
  return `SRS1=${checkOf('srs1', sender, key)}${encodeDay(sender.day)}=${sender.domain}=${sender.rest}`
}

function checkOf(form: 'srs0' | 'srs1', { domain, rest, day }: Rewritten, { version, key }: TagKey): string {
  const mac = createHmac('sha256', key)
    .update(`${form}\0${version}\0${day}\0${fold(domain)}\0${fold(rest)}`)
    .digest()
  return encodeVersion(version) + encodeBase32(mac).slice(0, MAC_CHARS)
}

/** As `foldAddress` folds, and a host that folds case. */
function fold(text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC').replaceAll('ς', 'σ')
}

function encodeVersion(version: number): string {
  return encodeBase32(Buffer.from([version]))
}

function encodeDay(day: number): string {
  const bits = (day % DAYS) << 6
  return encodeBase32(Buffer.from([bits >> 8, bits & 0xff])).slice(0, DAY_CHARS)
}

/** The latest day that is written so and is no later than tomorrow, since clocks differ. */
function latestDay(text: string, today: number): number | undefined {
  // Two characters have ten bits: six zeros make them the two octets that they began.
  const bytes = decodeBase32(`${text}aa`)
  if (!bytes) return undefined
  const day = bytes.readUInt16BE() >> 6
  const tomorrow = today + 1
  return tomorrow - ((((tomorrow - day) % DAYS) + DAYS) % DAYS)
}

/** Underscores are no host's, but mail comes from there. */
function readDomain(text: string): string | undefined {
  const plain = text.toLowerCase()
  const parsed = parseDomainName(plain.replaceAll('_', 'x'))
  if (typeof parsed !== 'string') return undefined
  return plain.includes('_') ? plain : parsed
}

// RFC 5321 §4.1.2 with RFC 6531 §3.3: what needs no quotes.
const DOT_STRING =
  /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+)*$/u

function unquote(local: string): string {
  return /^".*"$/su.test(local) ? local.slice(1, -1).replaceAll(/\\(.)/gsu, '$1') : local
}

function quote(content: string): string {
  return DOT_STRING.test(content) ? content : `"${content.replaceAll(/["\\]/g, '\\$&')}"`
}
