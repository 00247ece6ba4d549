import { isAscii, isUtf8 } from 'node:buffer'
import { encodeLines, hasLongLine } from '#outbound/compose/text-part.ts'

const MOST_OCTETS = 64 * 1024

/** The header section of a message, each field with its CRLF, without what follows; of a very long one the fields that
 *  fit. A copy, so that nothing holds on to the body. */
export function headerSection(content: Buffer): Buffer {
  const blank = content.indexOf('\r\n\r\n')
  const header = content.subarray(0, blank === -1 ? content.length : blank + 2)
  if (header.length <= MOST_OCTETS) return Buffer.from(header)
  const text = header.toString('latin1', 0, MOST_OCTETS)
  const end = [...text.matchAll(/\r\n(?![ \t])/g)].at(-1)?.index
  return Buffer.from(header.subarray(0, end === undefined ? 0 : end + 2))
}

/** The same of a forward, without what we put before it, of which Received is the last: those fields say where it was to
 *  go. */
export function headerAsItCame(content: Buffer): Buffer {
  const header = headerSection(content)
  const text = header.toString('latin1')
  const ours = /(?:^|\r\n)Received:.*(?:\r\n[ \t].*)*\r\n/i.exec(text)
  return ours ? header.subarray(ours.index + ours[0].length) : header
}

/** The original's header as a part. RFC 6522 §4: text/rfc822-headers, encoded where SMTP might not carry it as it is; in
 *  an international notice message/global-headers (RFC 6533 §6), if its octets are UTF-8. */
export function returnedHeader(
  header: Buffer,
  international: boolean,
): { readonly fields: string; readonly body: Buffer } {
  const carried = !hasLongLine(header) && !NOT_CARRIED.test(header.toString('latin1'))
  const plain = carried && isAscii(header)
  if (carried && !plain && international && isUtf8(header)) {
    return {
      fields: 'Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n',
      body: header,
    }
  }
  const { encoding, body } = plain ? { encoding: '7bit', body: header } : encodeLines(header)
  const charset = isUtf8(header) ? '; charset=utf-8' : ''
  return {
    fields: `Content-Type: text/rfc822-headers${charset}\r\nContent-Transfer-Encoding: ${encoding}\r\n`,
    body,
  }
}

// oxlint-disable-next-line no-control-regex -- controls are what it looks for
const NOT_CARRIED = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/
