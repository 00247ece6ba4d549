/** RFC 5321 §4.5.3.1.1, in octets. */
const LONGEST = 64
/** RFC 5322 §3.2.3, and beyond ASCII whatever is no space and no control character (RFC 6531). */
const ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\u{10ffff}-]+$/iu

/** What is wrong with the part before the @ while it is written; undefined for one that could be. The API has the last
 *  word. */
export function checkLocalPart(text: string): string | undefined {
  if (text === '') return undefined
  if (text.includes('@')) return 'Only the part before the @: the domain stands beside it.'
  if (/\s/.test(text)) return 'An address has no spaces.'
  if (text === '*') return 'For all addresses of a domain there is the catch-all.'
  if (text.startsWith('.') || text.endsWith('.') || text.includes('..'))
    return 'A dot stands between two other characters.'
  if (!ATOM.test(text)) return 'There is a character in it that an address cannot have.'
  if (new TextEncoder().encode(text).length > LONGEST) return `It is longer than ${LONGEST} octets.`
  return undefined
}
