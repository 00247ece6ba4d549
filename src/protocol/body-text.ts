import type { OutlinePart } from './outline-message.ts'

/** The beginning of a text part as Unicode: the first `limit` octets of its source, decoded as well as they can be.
 *  A charset that is unknown or lies is answered with the one that fits, never with a failure. */
export function bodyText(raw: Buffer, part: OutlinePart, limit: number): string {
  const source = raw.subarray(part.start, Math.min(part.end, part.start + limit))
  const octets = decodeTransfer(source, part.encoding)
  // The last character may be cut in two.
  return decodeCharset(octets, part.charset).replace(/\uFFFD$/, '')
}

function decodeTransfer(source: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(source.toString('latin1'), 'base64')
  if (encoding !== 'quoted-printable') return source
  const octets = source
    .toString('latin1')
    // RFC 2045 §6.7 (5): a soft line break, before which white space may have been added in transport.
    .replace(/=[ \t]{0,80}\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(octets, 'latin1')
}

const UTF8_LABELS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', 'unknown-8bit'])

function decodeCharset(octets: Buffer, charset = 'utf-8'): string {
  const label = charset.toLowerCase()
  if (UTF8_LABELS.has(label)) return asUtf8(octets) ?? new TextDecoder('windows-1252').decode(octets)
  try {
    return new TextDecoder(label).decode(octets)
  } catch {
    // A RangeError: a label nobody knows.
    return asUtf8(octets) ?? new TextDecoder('windows-1252').decode(octets)
  }
}

/** `stream` tolerates a character that the limit cut in two. */
function asUtf8(octets: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets, { stream: true })
  } catch {
    return undefined
  }
}
