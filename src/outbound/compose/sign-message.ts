import type { SigningIdentity } from '#model/draft.ts'
import { signDkim } from '#protocol/dkim-sign.ts'
import { turnOfOthers } from './turn-of-others.ts'

/** The content with its DKIM-Signature before it. In: CRLF line ends only. */
export async function signMessage(content: Buffer, identity: SigningIdentity, at: Date): Promise<Buffer> {
  await turnOfOthers(content.length)
  const field = await signDkim(content, identity, at)
  return Buffer.concat([Buffer.from(field, 'latin1'), content])
}
