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
    | 'local-part-not-ascii'
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
  'local-part-not-ascii':
    "The part before '@' must be ASCII: internationalized local parts (SMTPUTF8) are not supported.",
  'local-part-too-long': "The part before '@' may have 64 octets at most.",
  'too-long': 'An address may have 254 octets at most, its domain counted as A-labels (xn--).',
} as const satisfies Record<Exclude<AddressFault['fault'], 'domain'>, string>

// RFC 5321 §4.1.2: Dot-string = Atom *("." Atom), with atext of RFC 5322 §3.2.3.
const DOT_STRING = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
// RFC 5321 §4.1.2: Quoted-string = DQUOTE *QcontentSMTP DQUOTE.
const QUOTED_STRING = /^"((?:[ !#-[\]-~]|\\[ -~])*)"$/

/** Longer than any legal spelling: nothing beyond it is worth a look. */
const MAX_TEXT = 2000

/** The only way to an Address: an RFC 5321 §4.1.2 Mailbox with an ASCII local part and a domain name of two labels or
 *  more. Address literals, source routes, comments and folding white space are refused. The domain becomes lower-case
 *  A-labels, a quoted local part that needs no quotes loses them, and the local part's case stays (§2.4).
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
  if (local.length + 1 + domain.length > 254) return fault('too-long')
  return `${local}@${domain}` as Address
}

export function isAddress(result: Address | AddressFault): result is Address {
  return typeof result === 'string'
}

function parseLocalPart(text: string): string | AddressFault {
  // oxlint-disable-next-line no-control-regex -- everything outside ASCII is what it looks for
  if (/[^\x00-\x7f]/.test(text)) return fault('local-part-not-ascii')
  // RFC 5321 §4.5.3.1.1 counts the local part as it is written, quotes and backslashes included.
  if (text.length > 64) return fault('local-part-too-long')
  if (DOT_STRING.test(text)) return text
  const quoted = QUOTED_STRING.exec(text)?.[1]
  if (quoted === undefined) return fault(/^\s|\s$/.test(text) ? 'character' : 'local-part')
  const content = quoted.replaceAll(/\\(.)/g, '$1')
  // RFC 5321 §4.1.2: a host that sends should use quotes only where it must.
  return DOT_STRING.test(content) ? content : `"${content.replaceAll(/["\\]/g, '\\$&')}"`
}

function fault(kind: keyof typeof DETAIL): AddressFault {
  return { fault: kind, detail: DETAIL[kind] }
}
