import type { Address, Mailbox } from '#model/address.ts'
import type { PlatformHeaders } from '#model/draft.ts'
import type { Refusal } from '#model/refusal.ts'
import {
  checkHeaderTotals,
  checkHeaderValue,
  HEADER_LIMITS,
  type HeaderRule,
  headerBytes,
  headerRule,
} from '#protocol/custom-header-table.ts'
import { decodeWords } from '#protocol/encoded-word.ts'
import { foldAddresses, foldField, foldText, withoutControls } from '#protocol/fold.ts'
import {
  fieldText,
  fieldValue,
  type HeaderField,
  isAscii,
  parseHeaderBlock,
  trimWhiteSpace,
} from '#protocol/header-block.ts'
import { type HeaderLineEnds, headerLineEnds, normaliseLineEnds } from '#protocol/line-ends.ts'
import { formatMailbox, formatMailboxList, parseMailboxList } from '#protocol/mailbox-list.ts'
import { carryBody } from './carry-body.ts'
import { customField } from './compose-message.ts'
import { autoSubmittedKeyword, shortenReferences } from './ease-header.ts'
import { headerOctets, MIME_VERSION, platformFields, receivedField, UNDISCLOSED } from './platform-fields.ts'
import { scanLines } from './scan-lines.ts'

// Thunderbird and Outlook send a few dozen fields; the limits only keep a hostile header from costing more.
const LIMITS = { fields: 1000, bytes: 256 * 1024 } as const
const MAX_SUBJECT = 998
/** Of addresses and the subject, which cost the most to read; the octets of their longest value. */
const MAX_VALUE = 64 * 1024
/** A message may have a thousand headers that go; the log needs no more to tell what happened. */
const MOST_NAMED = 50
const LF = 10

/** A raw message that was read and found usable: what of it stays. `body` is the sender's but for its line ends and what
 *  `carryBody` encodes. */
export interface RawMessage extends KeptFields {
  readonly body: Buffer
}

/** Takes a whole message as its sender composed it (send_raw, SMTP). Kept: From, To, Cc, Reply-To, Subject, Content-*,
 *  allowed and X- headers, and the body but for its line ends; a part that SMTP cannot carry as it is, is encoded.
 *  Replaced: what belongs to the platform. Removed and named: everything else, Bcc and Sender among it. A field is kept
 *  as it was written where every server will take it; From alone is always written anew, so that nobody reads another
 *  author out of it. */
export function readRawMessage(raw: Buffer): RawMessage | Refusal {
  const arrived = withoutByteOrderMark(raw)
  let content = arrived
  let scan = scanLines(arrived)
  if (scan === 'bare-line-ends') {
    const lineEnds = headerLineEnds(arrived, LIMITS.bytes)
    if (lineEnds !== 'alike') return unusable(LINE_ENDS[lineEnds])
    content = normaliseLineEnds(arrived)
    scan = scanLines(content)
  }
  const message = readContent(content, scan === 'carried' ? undefined : arrived)
  return 'kind' in message ? (escapedLineEnds(content) ?? message) : message
}

/** Whoever checks a value for line feeds alone would otherwise have header fields written by its customers behind a bare
 *  CR, and who looks for the end of the header may find another one than we do. A body has no such meaning. */
const LINE_ENDS = {
  'bare-cr': 'The header has a bare CR (a carriage return without a line feed); end every line in CRLF.',
  'cr-cr-lf': 'The header has lines that end in CR CR LF; end every line in CRLF.',
  mixed: 'The header mixes CRLF and LF; end every line in CRLF.',
} as const satisfies Record<Exclude<HeaderLineEnds, 'alike'>, string>

/** Some editors put one before a text in UTF-8 (RFC 3629 §6), where it would be part of the first header's name. */
function withoutByteOrderMark(raw: Buffer): Buffer {
  return raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? raw.subarray(3) : raw
}

/** `arrived` is the message as it arrived, where SMTP may not carry all of its lines. */
function readContent(content: Buffer, arrived: Buffer | undefined): RawMessage | Refusal {
  const block = parseHeaderBlock(content, LIMITS)
  if ('fault' in block) {
    const kind =
      block.fault === 'too-large' || block.fault === 'too-many-fields'
        ? 'headers-too-large'
        : 'content-invalid'
    return { kind, detail: block.detail }
  }
  const { fields, bodyStart } = block
  if (fields.length === 0 && bodyStart > 0) {
    return unusable('The message starts with a blank line, which ends its header; remove the line.')
  }
  const carried = arrived ? carryBody(content, block, arrived) : { fields, body: content.subarray(bodyStart) }
  const kept = keepFields('kind' in carried ? fields : carried.fields)
  // What is wrong with the header comes first: it may be why the body cannot be read.
  if ('kind' in kept) return kept
  return 'kind' in carried ? carried : { ...kept, body: carried.body }
}

/** Whoever escapes a message once too often sends all of it as one line; what is wrong with that line as a header would
 *  only mislead. */
function escapedLineEnds(content: Buffer): Refusal | undefined {
  const end = content.indexOf('\r\n')
  const line = end === -1 ? content : content.subarray(0, end)
  const isOnlyLine = end === -1 || end + 2 === content.length || content.indexOf('\r\n', end + 2) === end + 2
  const found = ESCAPED_LINE_END.exec(line.toString('latin1', 0, LIMITS.bytes))?.[0]
  if (!isOnlyLine || found === undefined) return undefined
  const escape = found.startsWith('\\r') ? '\\r\\n' : '\\n'
  return unusable(
    `The message contains the characters ${escape} instead of line breaks; in JSON a line break is written ${escape} within the string, with single backslashes.`,
  )
}

/** With a header name or another one behind it: `C:\new` is none. */
const ESCAPED_LINE_END = /(?:\\r)?\\n(?:[A-Za-z-]{1,100}:|(?:\\r)?\\n)/

/** The message as it goes out, but for its signature: what stays of it under the platform's own headers. */
export function composeRaw(message: RawMessage, platform: PlatformHeaders): Buffer {
  const header =
    receivedField(platform) +
    message.fields +
    (message.hasRecipients ? '' : UNDISCLOSED) +
    platformFields(platform) +
    MIME_VERSION
  // SMTP ends the last line whatever it was, so it is ended before it is signed.
  const end = message.body.length === 0 || message.body.at(-1) === LF ? '' : '\r\n'
  return Buffer.concat([headerOctets(header), message.body, Buffer.from(end)])
}

interface KeptFields {
  /** The fields that stay, each with its CRLF, ASCII but for local parts of addresses. */
  readonly fields: string
  readonly hasRecipients: boolean
  /** TLS-Required: No (RFC 8689 §3): delivered even where policies about TLS would not let it. */
  readonly tlsOptional: boolean
  /** Headers that were taken out and have no place of ours, each once, as first written. */
  readonly removed: readonly string[]
  readonly from: Address
  /** Decoded. */
  readonly subject: string
}

function keepFields(fields: readonly HeaderField[]): KeptFields | Refusal {
  const from = readFrom(fields)
  if ('kind' in from) return from
  const unsubscribe = fields.find(({ name }) => name.toLowerCase() === 'list-unsubscribe')
  const listUnsubscribe = unsubscribe && fieldText(unsubscribe)
  const out: string[] = []
  const removed = new Map<string, string>()
  const remove = (name: string) => {
    const key = name.toLowerCase()
    if (!removed.has(key) && removed.size < MOST_NAMED)
      removed.set(key, name.slice(0, HEADER_LIMITS.nameBytes))
  }
  const seen = new Set<string>()
  let subject = ''
  let allowlisted = 0
  let customBytes = 0
  let tlsOptional = false
  for (const written of fields) {
    const use = useOf(written.name)
    if (use === 'drop') {
      if (isTlsOptional(written)) tlsOptional = true
      if (headerRule(written.name).kind !== 'platform') remove(written.name)
      continue
    }
    const field = isAllowed(use, 'References') ? shortenReferences(written) : written
    const value = fieldValue(field)
    if (value === undefined) return unusable(`Header '${field.name}' is not UTF-8; encode it by RFC 2047.`)
    const text = trimWhiteSpace(value)
    if (text === '' && mayBeEmpty(use)) {
      remove(field.name)
      continue
    }
    // RFC 3834 §5: as if it were not there.
    if (isAllowed(use, 'Auto-Submitted') && autoSubmittedKeyword(text) === 'no') continue
    const unfit =
      checkName(field.name) ??
      checkLength(field, use) ??
      checkRepeated(field.name, use, seen) ??
      checkValue(field.name, use, value, listUnsubscribe)
    if (unfit) return unfit
    if (use === 'subject') {
      subject = withoutControls(decodeWords(text))
      if (Array.from(subject).length > MAX_SUBJECT) {
        return unusable(`The subject is longer than ${MAX_SUBJECT} characters.`)
      }
    }
    if (typeof use === 'object') {
      if (use.kind === 'allowed') allowlisted++
      customBytes += headerBytes(field.name, value)
    }
    const line =
      use === 'from' ? foldAddresses('From', formatMailbox(from, 'From: '.length)) : rewrite(field, text, use)
    if (typeof line !== 'string') return line
    out.push(line)
  }
  const total = checkHeaderTotals(allowlisted, customBytes)
  if (total) return total
  const hasRecipients = seen.has('to') || seen.has('cc')
  if (tlsOptional) out.push('TLS-Required: No\r\n')
  const told = { removed: [...removed.values()], from: from.address, subject }
  return { fields: out.join(''), hasRecipients, tlsOptional, ...told }
}

type CustomRule = HeaderRule & { kind: 'allowed' | 'extension' }
type Use = 'from' | 'addresses' | 'subject' | 'mime' | CustomRule | 'drop'

function isAllowed(use: Use, name: string): boolean {
  return typeof use === 'object' && use.kind === 'allowed' && use.name === name
}

function useOf(name: string): Use {
  switch (name.toLowerCase()) {
    case 'from':
    case 'subject':
      return name.toLowerCase() === 'from' ? 'from' : 'subject'
    case 'to':
    case 'cc':
    case 'reply-to':
      return 'addresses'
    default: {
      const rule = headerRule(name)
      if (rule.kind === 'allowed' || rule.kind === 'extension') return rule
      // RFC 2045 §9: these describe the body. Content-Length is of mailbox files, and counts what we may encode.
      return /^content-(?!length$)./i.test(name) ? 'mime' : 'drop'
    }
  }
}

/** RFC 5322 §3.6.2 allows several authors; a signature and DMARC (RFC 7489 §6.6.1) answer for one. */
function readFrom(fields: readonly HeaderField[]): Mailbox | Refusal {
  const [field, second] = fields.filter(({ name }) => name.toLowerCase() === 'from')
  if (!field) return unusable('The message has no From header.')
  if (second) return unusable('The message has more than one From header.')
  const tooLong = checkLength(field, 'from')
  if (tooLong) return tooLong
  const text = fieldText(field)
  if (text === undefined) return unusable('The From header is not UTF-8; encode its name by RFC 2047.')
  const mailboxes = parseMailboxList(text, 2)
  if ('fault' in mailboxes) return unusable(`The From header names no single address. ${mailboxes.detail}`)
  const [mailbox, another] = mailboxes
  return mailbox && !another ? mailbox : unusable('The From header must name exactly one address.')
}

/** Which of two fields counts differs from reader to reader, so a second one is refused; RFC 5322 §3.6.5 lets Comments
 *  and Keywords repeat, and X- headers have no rule. */
function checkRepeated(name: string, use: Use, seen: Set<string>): Refusal | undefined {
  const key = name.toLowerCase()
  const first = !seen.has(key)
  seen.add(key)
  if (first || key === 'comments' || key === 'keywords') return undefined
  const detail = `Header '${name}' appears more than once.`
  if (typeof use !== 'object') return unusable(detail)
  return use.kind === 'extension' ? undefined : { kind: 'header-name-invalid', detail }
}

/** Mail programs leave address and X- headers empty where they have nothing to say; RFC 5322 has no empty address list,
 *  and an empty X- header loses nothing when it goes. */
function mayBeEmpty(use: Use): boolean {
  return use === 'addresses' || (typeof use === 'object' && use.kind === 'extension')
}

/** Of Content-* fields too: a name cannot be folded, so it must fit into a line. */
function checkName(name: string): Refusal | undefined {
  if (name.length <= HEADER_LIMITS.nameBytes) return undefined
  const detail = `Header name '${name.slice(0, 40)}…' exceeds ${HEADER_LIMITS.nameBytes} byte limit.`
  return { kind: 'header-name-invalid', detail }
}

function checkLength({ name, value }: HeaderField, use: Use): Refusal | undefined {
  if (value.length <= MAX_VALUE || typeof use === 'object' || use === 'mime') return undefined
  return { kind: 'header-value-too-long', detail: `Header '${name}' value exceeds ${MAX_VALUE} byte limit.` }
}

/** Some readers take VT, FF, FS, NEL and their like for line ends, and would find another field behind one. So no value
 *  that stays holds any, and `rewrite` need not look for them again. */
function checkValue(
  name: string,
  use: Use,
  value: string,
  listUnsubscribe: string | undefined,
): Refusal | undefined {
  if (typeof use === 'object') {
    const checked = isAllowed(use, 'Auto-Submitted') ? (autoSubmittedKeyword(value) ?? value) : value
    return checkHeaderValue(use, use.kind === 'allowed' ? use.name : name, checked, listUnsubscribe)
  }
  if (withoutControls(value) === value) return undefined
  return unusable(`Header '${name}' must not contain control characters or line separators; remove them.`)
}

/** The field as it was written, its name in canonical casing, where every peer takes it: ASCII, no line too long, none
 *  blank. Otherwise folded anew, encoded by RFC 2047 where that can carry it. Of addresses the names are encoded and the
 *  domains made A-labels, so that only a local part beyond ASCII asks for SMTPUTF8. */
function rewrite(field: HeaderField, text: string, use: Exclude<Use, 'drop' | 'from'>): string | Refusal {
  const name = typeof use === 'object' && use.kind === 'allowed' ? use.name : field.name
  const lines = `${name}:${field.value}`.split('\r\n')
  const sound = lines.every((line) => line.length <= 998 && /[^ \t]/.test(line))
  if (sound && isAscii(field.value)) return `${lines.join('\r\n')}\r\n`
  if (typeof use === 'object') return customField(name, text)
  if (use === 'subject') return isAscii(text) ? foldField(name, text) : foldText(name, text)
  if (isAscii(text)) return foldField(name, text)
  if (use === 'mime') return unusable(`Header '${name}' must be ASCII; encode parameters by RFC 2231.`)
  const mailboxes = parseMailboxList(text)
  if ('fault' in mailboxes) return unusable(`Header '${name}' is no list of addresses. ${mailboxes.detail}`)
  return foldAddresses(name, formatMailboxList(mailboxes))
}

function unusable(detail: string): Refusal {
  return { kind: 'content-invalid', detail }
}

/** RFC 8689 §3 knows this one value; the field goes on with the message, for the next hops. */
function isTlsOptional(field: HeaderField): boolean {
  return field.name.toLowerCase() === 'tls-required' && fieldText(field)?.toLowerCase() === 'no'
}
