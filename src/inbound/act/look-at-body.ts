import { isAscii } from 'node:buffer'
import { contentGlimpses } from '#bodies/read-content.ts'
import { hashBody, hashBodyOf } from '#protocol/dkim-body-hash.ts'
import type { Incoming } from './incoming.ts'

/** What all recipients' copies of a message have in common. */
export interface BodyLook {
  /** For signatures. */
  readonly hash: string
  /** Somewhere in the message, the header included, is an octet above 127. */
  readonly eightBit: boolean
}

/** Looks at a message once, a piece at a time. */
export async function lookAtBody({
  content,
  block: { bodyStart },
}: Pick<Incoming, 'content' | 'block'>): Promise<BodyLook | 'holds-nul'> {
  if (content.kind === 'memory') {
    const { bytes } = content
    if (bytes.includes(0)) return 'holds-nul'
    return { hash: hashBody(bytes.subarray(bodyStart)), eightBit: !isAscii(bytes) }
  }
  let holdsNul = false
  let eightBit = false
  async function* lookedAt(): AsyncGenerator<Buffer> {
    for await (const piece of contentGlimpses(content)) {
      holdsNul ||= piece.includes(0)
      eightBit ||= !isAscii(piece)
      yield piece
    }
  }
  const hash = await hashBodyOf(lookedAt(), bodyStart)
  return holdsNul ? 'holds-nul' : { hash, eightBit }
}
