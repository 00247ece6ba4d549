import type { MimeHeader } from './mime-header.ts'
import { LONGEST_LINE } from './scan-lines.ts'
import { base64Lines, encodeLines } from './text-part.ts'
import { wrapBase64, wrapQuotedPrintable } from './wrap-encoded.ts'

/** The content of a part as SMTP carries it. `encoding` is what its Content-Transfer-Encoding has to say; undefined
 *  where it says so already. */
export interface EncodedLeaf {
  readonly encoding: 'quoted-printable' | 'base64' | '8bit' | undefined
  readonly body: Buffer
}

export interface Leaf extends Pick<MimeHeader, 'type' | 'charset' | 'encoding'> {
  /** With CRLF line ends only. */
  readonly body: Buffer
  /** The same as it arrived. */
  readonly octets: () => Buffer
  /** Whether lines over 998 octets, or NUL, are in it. */
  readonly long: boolean
  readonly nul: boolean
  /** Whether a body in its place would end the part early, or might. */
  readonly holdsDelimiter: (body: Buffer) => boolean
}

/** Encodes a part that is long, holds NUL or says that it is binary. Whoever decodes the result finds what was there:
 *  of a text the characters, its line ends CRLF, of anything else that is binary the octets as they arrived. Undefined
 *  where it cannot be done. */
export function encodeLeaf(leaf: Leaf): EncodedLeaf | undefined {
  switch (leaf.encoding) {
    case 'plain':
    case 'binary':
      return encodePlain(leaf)
    case 'quoted-printable':
      return wrapped(leaf, wrapQuotedPrintable)
    case 'base64':
      return wrapped(leaf, wrapBase64)
    case 'unknown':
      return undefined
  }
}

function encodePlain(leaf: Leaf): EncodedLeaf | undefined {
  const { type, body } = leaf
  if (type.startsWith('message/')) {
    // RFC 2046 §5.2, RFC 3464 §2.1: a delivery status and its like may not be encoded.
    return leaf.long || leaf.nul ? undefined : { encoding: '8bit', body }
  }
  if (/^text(?:\/|$)/.test(type) && !hasWideCharacters(leaf.charset)) {
    const encoded = encodeLines(body)
    // An escape may make a delimiter of a line that was none: `--a=b` is `--a=3Db`.
    if (encoded.encoding === 'quoted-printable' && !leaf.holdsDelimiter(encoded.body)) {
      return encoded
    }
    return { encoding: 'base64', body: base64(body) }
  }
  // RFC 2045 §2.9: only binary data may hold NUL, and there CR and LF are octets like any other.
  const isBinary = leaf.encoding === 'binary' || leaf.nul
  return { encoding: 'base64', body: base64(isBinary ? leaf.octets() : body) }
}

/** Octets 10 and 13 in these are no line ends (RFC 2781 §3.3). */
function hasWideCharacters(charset = ''): boolean {
  return /^(?:utf-?16|utf-?32|ucs-?[24]|iso-10646-ucs)/i.test(charset)
}

/** Without a line end behind it: the one before the delimiter ends the last line. */
function base64(octets: Buffer): Buffer {
  return octets.length === 0 ? octets : base64Lines(octets).subarray(0, -2)
}

function wrapped(leaf: Leaf, wrap: (encoded: Buffer, longest: number) => Buffer): EncodedLeaf | undefined {
  if (leaf.nul) return undefined
  const body = wrap(leaf.body, LONGEST_LINE)
  return leaf.holdsDelimiter(body) ? undefined : { encoding: undefined, body }
}
