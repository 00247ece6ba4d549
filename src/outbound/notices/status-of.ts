import { splitEnhanced } from '#protocol/enhanced-status.ts'
import { CAUSE_WORDS } from './cause-words.ts'
import type { Failure } from './failure.ts'

/** The status code of a failure (RFC 3464 §2.3.4): the server's own where it gave one, else what the cause stands for.
 *  Its class says who gave up: 5 the recipient's side, 4 we, since what was refused for now may work another time
 *  (RFC 3463 §2), whatever the server put there. */
export function statusOf({ end, cause, reply, enhancedStatus }: Failure): string {
  const given = enhancedStatus ?? (isSmtpReply(reply) ? splitEnhanced(reply.slice(4)).enhanced : undefined)
  const detail = /^[45]\.(\d{1,3}\.\d{1,3})$/.exec(given ?? '')?.[1]
  return `${end === 'refused' ? 5 : 4}.${detail ?? CAUSE_WORDS[cause].status}`
}

/** Told from our own sentences by how it begins (RFC 5321 §4.2). */
export function isSmtpReply(reply: string | undefined): reply is string {
  return reply !== undefined && /^[2-5]\d\d(?:[ -]|$)/.test(reply)
}
