import type { Incoming, Recipient } from './incoming.ts'
import { headerMessageIdOf } from './prepare-forward.ts'

/** What every line of the log about mail that came in has, before it has ids of ours: the session that its `Received`
 *  field names, and the Message-ID by which its sender knows it. No address, and nothing else of a stranger's. */
export function incomingIds(
  { session, block }: Pick<Incoming, 'session' | 'block'>,
  recipient?: Recipient,
): { readonly session: string; readonly messageId?: string; readonly account?: string } {
  const domain = recipient?.way.kind === 'rule' ? recipient.way.domain : undefined
  return {
    session: session.id,
    ...knownAs(headerMessageIdOf(block)),
    ...(domain && { account: domain.accountId }),
  }
}

/** For a search: longer ones are nobody's who means well. */
const LONGEST = 255

/** A Message-ID in the log, if there is one. */
export function knownAs(headerMessageId: string): { readonly messageId?: string } {
  return headerMessageId === '' ? {} : { messageId: headerMessageId.slice(0, LONGEST).toWellFormed() }
}
