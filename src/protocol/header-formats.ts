import { isAddress, parseAddress } from './address.ts'
import { isAscii, trimWhiteSpace } from './header-block.ts'

/** Formats of single header values, given unfolded and trimmed. Each check answers the end of a sentence that starts
 *  with the header's name, saying what would be right, or undefined when the value is. */
export type FormatCheck = (value: string) => string | undefined

/** Anything: RFC 5322 unstructured text. */
export const anyText: FormatCheck = () => undefined

/** RFC 5322 §3.6.4: one msg-id or more, white space between them. */
export const messageIds: FormatCheck = (value) => {
  const ids = /^<[!-;=?-~]+>(?:[ \t]*<[!-;=?-~]+>)*$/.test(value) ? value.split('>').slice(0, -1) : []
  // RFC 5322 §2.1.1: an id cannot be folded, so it must fit into a line of 998 behind its white space.
  const right = ids.length > 0 && ids.every((id) => /<[^@]+@.+$/.test(id) && id.trim().length < 996)
  return right ? undefined : 'must contain message ids such as <id@example.com>, separated by spaces.'
}

/** One of a few words, in any case. */
export function oneOf(...words: readonly string[]): FormatCheck {
  const choice = `must be one of: ${words.join(', ')}.`
  return (value) => (words.includes(value.toLowerCase()) ? undefined : choice)
}

/** RFC 2369 with the stricter rule of RFC 8058 and of the header reference: no link that anybody on the way can read. */
export const unsubscribeUris: FormatCheck = (value) =>
  listUris(value)?.every((uri) => isWebUri(uri, 'https') || isMailto(uri)) === true
    ? undefined
    : 'must contain angle-bracket HTTPS or mailto URI(s).'

export function hasHttpsUri(value: string): boolean {
  return listUris(value)?.some((uri) => isWebUri(uri, 'https')) === true
}

/** RFC 8058 §3.1, exactly. */
export const oneClick: FormatCheck = (value) =>
  value === 'List-Unsubscribe=One-Click' ? undefined : "must be exactly 'List-Unsubscribe=One-Click'."

/** RFC 2369: URIs in angle brackets, separated by commas, each perhaps with a comment. */
export const uriList: FormatCheck = (value) =>
  listUris(value)?.every((uri) => isWebUri(uri, 'https?') || isMailto(uri)) === true
    ? undefined
    : 'must contain angle-bracket HTTP, HTTPS or mailto URI(s).'

/** RFC 2369 §3.4: a list that nobody may post to says NO. */
export const uriListOrNo: FormatCheck = (value) => (value === 'NO' ? undefined : uriList(value))

/** RFC 5064 §2.2: a single URI in angle brackets. */
export const archivedAt: FormatCheck = (value) => {
  const uri = /^<([!-;=?-~]+)>$/.exec(value)?.[1]
  return uri !== undefined && isWebUri(uri, 'https?')
    ? undefined
    : 'must be an angle-bracket HTTP or HTTPS URI.'
}

/** RFC 2919 §3: a phrase, which may be UTF-8, then the identifier of the list in angle brackets. */
export const listId: FormatCheck = (value) =>
  /^[\t -;=?-~\u00a0-\u2027\u202a-\uffff]*<[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)+>$/.test(
    value,
  )
    ? undefined
    : "must end with a list identifier such as <news.example.com>, perhaps after the list's name."

/** RFC 3282 §2 and RFC 5646 §2.1, as far as syntax goes. */
export const languageTags: FormatCheck = (value) =>
  value.split(',').every((tag) => /^[ \t]*[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*[ \t]*$/.test(tag))
    ? undefined
    : 'must contain language tags such as en or fr-CA, separated by commas.'

const DATE_TIME =
  /^[ \t]*(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),[ \t]*)?\d{1,2}[ \t]+(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ \t]+\d{4}[ \t]+\d{2}:\d{2}(?::\d{2})?[ \t]+(?:[+-]\d{4}|GMT|UT)$/

/** RFC 7293 §3.2: addr-spec ";" date-time. */
export const recipientValidSince: FormatCheck = (value) => {
  const semicolon = value.lastIndexOf(';')
  const address = parseAddress(trimWhiteSpace(value.slice(0, Math.max(semicolon, 0))))
  return isAscii(value) && isAddress(address) && DATE_TIME.test(value.slice(semicolon + 1))
    ? undefined
    : "must be an address, ';' and a date, such as user@example.com; Sat, 1 Jun 2024 09:23:01 +0000."
}

/** The URIs of an RFC 2369 value; undefined where it is not built like one. */
function listUris(value: string): readonly string[] | undefined {
  const element = /[ \t]*<([!-;=?-~]+)>[ \t]*(?:\([^()]*\)[ \t]*)?(,|$)/y
  const uris: string[] = []
  for (let more = true; more; ) {
    const [, uri, separator] = element.exec(value) ?? []
    if (uri === undefined) return undefined
    uris.push(uri)
    more = separator === ','
  }
  return uris
}

function isWebUri(uri: string, scheme: 'https' | 'https?'): boolean {
  return new RegExp(`^${scheme}://[^/?#]`, 'i').test(uri) && URL.canParse(uri)
}

/** RFC 6068 §2: one address or more before the first `?`, percent-encoded where needed. */
function isMailto(uri: string): boolean {
  const [, addresses] = /^mailto:([^?]+)(?:\?|$)/i.exec(uri) ?? []
  return addresses?.split(',').every((text) => isAddress(parseAddress(percentDecoded(text)))) === true
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A URIError: a `%` without two hex digits, or octets that are not UTF-8. No address has one.
    return ''
  }
}
