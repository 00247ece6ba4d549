import type { Address } from '#model/address.ts'
import { parseDomainName } from './domain-name.ts'

/** Why a text is no address. `detail` is a sentence for the person who wrote it: what is wrong, what would be right. */
export interface AddressFault {
  readonly fault:
    | 'empty'
    | 'display-name'
    | 'character'
    | 'no-at-sign'
    | 'local-part'
    | 'local-part-character'
    | 'local-part-too-long'
    | 'domain'
    | 'too-long'
  readonly detail: string
}

const DETAIL = {
  empty: 'The address is empty; it must look like user@example.com.',
  'display-name':
    'An address stands alone, as in user@example.com; a display name goes beside it, as in {"address": "user@example.com", "name": "Jane"}.',
  character: 'An address may not contain line breaks, control characters or spaces.',
  'no-at-sign': "The address has no '@'; it must look like user@example.com.",
  'local-part':
    "The part before '@' may hold letters, digits and !#$%&'*+/=?^_`{|}~- with single dots between them; anything else must be a quoted string.",
  'local-part-character':
    "The part before '@' may not hold invisible or unassigned characters, nor beyond ASCII any spaces or look-alikes of punctuation that separates addresses.",
  'local-part-too-long': "The part before '@' may have 64 octets of UTF-8 at most.",
  'too-long': 'An address may have 254 octets of UTF-8 at most, its domain counted as A-labels (xn--).',
} as const satisfies Record<Exclude<AddressFault['fault'], 'domain'>, string>

// RFC 5321 §4.1.2: Dot-string = Atom *("." Atom), with atext of RFC 5322 §3.2.3.
const DOT_STRING = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
// RFC 6531 §3.3 adds UTF8-non-ascii to both.
const UTF8_DOT_STRING =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+)*$/u
// RFC 5321 §4.1.2: Quoted-string = DQUOTE *QcontentSMTP DQUOTE. A backslash stands before ASCII only.
const QUOTED_STRING = /^"((?:[ !#-[\]-~\u0080-\u{10ffff}]|\\[ -~])*)"$/u

// Beyond ASCII: controls, bidi overrides and other format characters, surrogates, what is unassigned or private, spaces
// and line separators; and whatever else shows nothing, such as variation selectors and Hangul fillers.
const UNFIT = /[\p{C}\p{Z}\p{DI}]/u
// What would end an address, or begin another, for software that reads compatibility characters as their ASCII kin.
// oxlint-disable-next-line no-control-regex -- controls are among them
const SEPARATING = /[\x00-\x20"(),:;<>@[\\\]\x7f]/

/** Longer than any legal spelling: nothing beyond it is worth a look. */
const MAX_TEXT = 2000

/** The only way to an Address: an RFC 5321 §4.1.2 Mailbox, its local part perhaps UTF-8 (RFC 6531 §3.3), with a domain
 *  name of two labels or more. Address literals, source routes, comments and folding white space are refused. The domain
 *  becomes lower-case A-labels, so that it is ASCII whatever the local part is; the local part becomes NFC (RFC 6532
 *  §3.1), loses quotes that it does not need, and keeps its case (RFC 5321 §2.4).
 *  An address is a string, a fault an object. */
export function parseAddress(text: string): Address | AddressFault {
  if (text === '') return fault('empty')
  if (text.length > MAX_TEXT) return fault('too-long')
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  if (/[\x00-\x1f\x7f]/.test(text)) return fault('character')
  if (text.trimEnd().endsWith('>')) return fault('display-name')
  const at = text.lastIndexOf('@')
  if (at === -1) return fault('no-at-sign')
  const local = parseLocalPart(text.slice(0, at))
  if (typeof local !== 'string') return local
  const domain = parseDomainName(text.slice(at + 1))
  if (typeof domain !== 'string') return { fault: 'domain', detail: domain.detail }
  // RFC 5321 §4.5.3.1.3: a path has 256 octets with its angle brackets.
  if (Buffer.byteLength(local) + 1 + domain.length > 254) return fault('too-long')
  return `${local}@${domain}` as Address
}

export function isAddress(result: Address | AddressFault): result is Address {
  return typeof result === 'string'
}

function parseLocalPart(text: string): string | AddressFault {
  // Almost all are of this kind, and need nothing of what follows.
  if (text.length <= 64 && DOT_STRING.test(text)) return text
  if (hasUnfitCharacter(text)) return fault('local-part-character')
  // RFC 5321 §4.5.3.1.1 counts the local part as it is written, quotes and backslashes included.
  if (Buffer.byteLength(text.normalize('NFC')) > 64) return fault('local-part-too-long')
  const quoted = QUOTED_STRING.exec(text)?.[1]
  if (quoted === undefined && !UTF8_DOT_STRING.test(text)) {
    return fault(/^\s|\s$/.test(text) ? 'character' : 'local-part')
  }
  // After the backslashes: one may stand between a letter and its accent.
  const content = (quoted?.replaceAll(/\\(.)/gu, '$1') ?? text).normalize('NFC')
  // A mark would join whatever stands before the address: `<` and U+0338 are `≮` to whoever normalises a header.
  if (/^\p{M}/u.test(content)) return fault('local-part-character')
  // RFC 5321 §4.1.2: a host that sends should use quotes only where it must.
  return UTF8_DOT_STRING.test(content) ? content : `"${content.replaceAll(/["\\]/g, '\\$&')}"`
}

function hasUnfitCharacter(local: string): boolean {
  const beyondAscii = local.replaceAll(/[ -~]+/g, '')
  return beyondAscii !== '' && (UNFIT.test(beyondAscii) || SEPARATING.test(beyondAscii.normalize('NFKC')))
}

function fault(kind: keyof typeof DETAIL): AddressFault {
  return { fault: kind, detail: DETAIL[kind] }
}
