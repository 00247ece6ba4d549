import type { SigningIdentity } from '#model/draft.ts'
import { hashBody } from './dkim-body-hash.ts'
import { type Covered, coverOwn, foldNames, relaxField, splitFields } from './dkim-header.ts'
import { signRsa } from './dkim-rsa.ts'

/** DKIM (RFC 6376), rsa-sha256 and relaxed/relaxed. In: a message with CRLF line ends only, a blank line after its
 *  header, and the parsed key. Out: the DKIM-Signature field. The body is hashed once, in one pass; the RSA operation
 *  runs on the thread pool. */

/** The DKIM-Signature field of a message of our own, folded, with its final CRLF, ready to be put before the content.
 *  `at` becomes `t=`. Throws for a key that is not RSA. */
export async function signDkim(content: Buffer, identity: SigningIdentity, at: Date): Promise<string> {
  const { header, bodyStart } = splitMessage(content)
  const bodyHash = hashBody(content.subarray(bodyStart))
  return signCovered(coverOwn(splitFields(header)), { bodyHash, identity, at })
}

export interface Signing {
  readonly bodyHash: string
  readonly identity: SigningIdentity
  readonly at: Date
}

/** The same over fields that were chosen, and a body that was hashed, before. */
export async function signCovered(covered: Covered, { bodyHash, identity, at }: Signing): Promise<string> {
  const unsigned = [
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
    ` d=${identity.domain}; s=${identity.selector};`,
    ` t=${Math.floor(at.getTime() / 1000)};`,
    foldNames(covered.names),
    ` bh=${bodyHash};`,
    ' b=',
  ].join('\r\n')
  // RFC 6376 §3.7: the covered fields, then our own with an empty `b=` and no final CRLF.
  const signature = await signRsa(`${covered.octets}${relaxField(unsigned)}`, identity.key)
  return `${unsigned}${foldBase64(signature)}\r\n`
}

function splitMessage(content: Buffer): { header: string; bodyStart: number } {
  if (content[0] === 13) return { header: '', bodyStart: 2 }
  const blank = content.indexOf('\r\n\r\n')
  const end = blank === -1 ? content.length : blank
  return { header: content.toString('latin1', 0, end), bodyStart: Math.min(end + 4, content.length) }
}

/** RFC 6376 §3.5: white space in `b=` is ignored. */
function foldBase64(text: string): string {
  const lines = text.match(/.{1,72}/g) ?? []
  return lines.join('\r\n  ')
}
