import { encodeWords, needsEncoding } from './encoded-word.ts'
import { isAscii, trimWhiteSpace } from './header-block.ts'

// RFC 5322 §2.1.1: lines should have 78 characters at most and must have no more than 998, CRLF not counted.
const SHOULD = 78
const MUST = 998
// RFC 2047 §2: a line with an encoded-word has 76 at most.
const WITH_WORDS = 76

/** One header field ready for the wire, final CRLF included: `value` as it is, folded before white space that it has,
 *  never inside a word, so unfolding (RFC 5322 §2.2.3) gives back every character. Only where a word would need a line
 *  of more than 998 is it cut, by CRLF and a space; RFC 2369 §2 has receivers drop that inside the angle brackets of
 *  a URI, and other texts go through `foldText`, which never comes to it. A run of white space that would leave a line
 *  blank shrinks to one space. Whatever may not stand in a header (CR, LF, NUL and their like) turns into a space
 *  here at the latest, so no caller can inject a field. */
export function foldField(name: string, value: string): string {
  const clean = trimWhiteSpace(withoutControls(value))
  return fold(name, isAscii(clean) ? clean : encodeWords(clean, name.length + 2))
}

/** One header field of addresses, its value as `formatMailboxList` writes it: `foldField`, but what is not ASCII stays
 *  UTF-8 (RFC 6532 §3.2), since no encoded-word may stand in an address (RFC 2047 §5). RFC 6532 §3.4 counts the 78 in
 *  characters and the 998 in octets; here 78 characters stay far below 998 octets, and so does an address, which has 254. */
export function foldAddresses(name: string, value: string): string {
  return fold(name, trimWhiteSpace(withoutControls(value)))
}

/** One header field of free text. Text that is not ASCII is encoded by RFC 2047, because a peer without SMTPUTF8 takes
 *  nothing else; so is text that would be mistaken for an encoded-word, and a word too long for any line. */
export function foldText(name: string, text: string): string {
  const clean = trimWhiteSpace(withoutControls(text))
  const encode = needsEncoding(clean) || hasEndlessWord(clean)
  return foldField(name, encode ? encodeWords(clean, name.length + 2) : clean)
}

/** Whether some word of the text leaves no place to fold a line of 998 characters. */
export function hasEndlessWord(text: string): boolean {
  return text.length >= MUST && text.split(/[ \t]/).some((word) => word.length >= MUST)
}

/** Every character that may not stand in a header value, or that some parser takes for a line end (C0 but for TAB,
 *  DEL, C1 with NEL, LINE and PARAGRAPH SEPARATOR), replaced by one space per run. */
export function withoutControls(text: string): string {
  return HAS_CONTROL.test(text) ? text.replaceAll(CONTROLS, ' ') : text
}

// oxlint-disable-next-line no-control-regex -- controls are what they look for
const HAS_CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/
// oxlint-disable-next-line no-control-regex -- controls are what they look for
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]+/g

function fold(name: string, value: string): string {
  const line = `${name}: ${value}`
  const limit = line.includes('=?') ? WITH_WORDS : SHOULD
  return line.length <= limit ? `${line}\r\n` : `${foldLine(line, limit)}\r\n`
}

function foldLine(line: string, limit: number): string {
  const lines: string[] = []
  let current = ''
  for (const chunk of line.match(/[ \t]*[^ \t]+/g) ?? []) {
    if (current.length + chunk.length <= limit || current === '') {
      current += chunk
      continue
    }
    lines.push(current)
    current = chunk.length > MUST ? chunk.replace(/^[ \t]+/, ' ') : chunk
    while (current.length > MUST) {
      lines.push(current.slice(0, MUST))
      current = ` ${current.slice(MUST)}`
    }
  }
  lines.push(current)
  return lines.join('\r\n')
}
