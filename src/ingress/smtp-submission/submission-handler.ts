import { domainOf } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Domains } from '#registry/domains/domains.ts'
import { memoryBudget } from '#smtp/content-buffer.ts'
import type { SmtpHandler, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import { type LoginWorld, openLogins } from './login.ts'
import { type ReceiveWorld, receiveMessage } from './receive-message.ts'
import { replyToRefusal } from './refusal-replies.ts'

export interface SubmissionWorld extends LoginWorld, Omit<ReceiveWorld, 'memory'> {
  readonly domains: Domains
  /** Octets of content held at once, over all sessions. */
  readonly memoryLimit?: number
}

const DEFAULT_MEMORY = 256 * 1_048_576

const TOKEN_ENDED: Reply = {
  code: 535,
  enhanced: '5.7.8',
  text: 'Authentication failed: the API token was revoked or has expired',
}
const FOREIGN_DOMAIN: Reply = {
  code: 535,
  enhanced: '5.7.8',
  text: 'Authentication failed: the domain in MAIL FROM belongs to no account that this token can act on',
}
const NULL_SENDER: Reply = {
  code: 550,
  enhanced: '5.7.1',
  text: 'Sender denied: MAIL FROM must be an address of an onboarded domain; the null sender is for bounces',
}

/** The policy of the submission door: who may log in, as whom they may send, and what becomes of a message. */
export function submissionHandler(world: SubmissionWorld): SmtpHandler {
  const { accounts, domains, acceptor } = world
  const logins = openLogins(world)
  const receiving = { ...world, memory: memoryBudget(world.memoryLimit ?? DEFAULT_MEMORY) }

  async function mail(session: SmtpSession, from: string): Promise<Reply | undefined> {
    const login = logins.of(session)
    // A session may stay open for hours: what was revoked meanwhile sends no more.
    const token = await accounts.current(login.token)
    if (!token) return TOKEN_ENDED
    if (from === '') return NULL_SENDER
    const address = parseAddress(from)
    if (!isAddress(address)) return { code: 550, enhanced: '5.7.1', text: `Sender denied: ${address.detail}` }
    // A user's token acts for several accounts; the sender's domain says for which (DECISIONS).
    const accountId = token.accountId ?? (await domains.holder(domainOf(address)))
    const by = accountId === undefined ? undefined : await accounts.principal(token, accountId)
    if (!by) return FOREIGN_DOMAIN
    const refusal = await acceptor.refuseSender(address, by)
    if (refusal) return replyToRefusal(refusal)
    login.token = token
    login.by = by
    return undefined
  }

  return {
    authenticate: (session, username, password) => logins.authenticate(session, username, password),
    mail,
    rcpt(_, to) {
      const address = parseAddress(to)
      if (isAddress(address)) return undefined
      return { code: 501, enhanced: '5.1.3', text: `Recipient refused: ${address.detail}` }
    },
    data(session) {
      const { by } = logins.of(session)
      if (!by) throw new Error('a content came before its sender was checked')
      return receiveMessage(session, by, receiving)
    },
    close: (session) => logins.closed(session),
  }
}
