import type { Reply } from './reply.ts'

const UNPRINTABLE = /[^ -~]/
const UNPRINTABLE_ALL = /[^ -~]/g
// RFC 5321 §4.5.3.1.5: 512 octets a reply line, with code and CRLF; 40 of them for the codes.
const MAX_TEXT = 470
const MAX_LINES = 100

/** A reply as it goes over the wire, CRLF included. Whatever its text holds, it stays one reply: what is not printable
 *  ASCII becomes `?`, and what is too long is cut. */
export function formatReply(reply: Reply): string {
  const { code, text } = reply
  // RFC 2034 §4: 3yz replies carry no enhanced code.
  const status = reply.enhanced === undefined || (code >= 300 && code < 400) ? '' : `${reply.enhanced} `
  if (text.length <= MAX_TEXT && !UNPRINTABLE.test(text)) return `${code} ${status}${text}\r\n`
  const lines = text.split('\n', MAX_LINES)
  return lines
    .map((line, index) => {
      const separator = index === lines.length - 1 ? ' ' : '-'
      return `${code}${separator}${status}${line.replace(UNPRINTABLE_ALL, '?').slice(0, MAX_TEXT)}\r\n`
    })
    .join('')
}
