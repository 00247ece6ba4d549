import { domainOf } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Accounts, Principal } from '#registry/accounts/accounts.ts'
import type { Domains } from '#registry/domains/domains.ts'
import { memoryShares } from '#smtp/content-buffer.ts'
import type { DataSink, LastReply, SmtpHandler, SmtpParameters, SmtpSession } from '#smtp/handler.ts'
import { declaredSize } from '#smtp/mail-parameters.ts'
import type { Reply } from '#smtp/reply.ts'
import { openAccountTurns } from './account-turns.ts'
import { type Login, type LoginWorld, openLogins } from './login.ts'
import { BUSY, type ReceiveWorld, receiveMessage } from './receive-message.ts'
import { replyToRefusal } from './refusal-replies.ts'

export interface SubmissionWorld extends LoginWorld, Omit<ReceiveWorld, 'memory' | 'largeContents'> {
  readonly domains: Domains
  /** Octets of content held at once, over all sessions; one account has a quarter at most. */
  readonly memoryLimit?: number
}

const DEFAULT_MEMORY = 256 * 1_048_576
const SHARE_OF_ACCOUNT = 1 / 4

/** Nothing in this session will ever be taken again. */
const TOKEN_ENDED: LastReply = {
  code: 535,
  enhanced: '5.7.8',
  text: 'Authentication failed: the API token was revoked or has expired',
  last: true,
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
  const { accounts, domains, acceptor, memoryLimit = DEFAULT_MEMORY } = world
  const logins = openLogins(world)
  const memory = memoryShares({ limit: memoryLimit, most: memoryLimit * SHARE_OF_ACCOUNT })
  const receiving = { ...world, memory, largeContents: openAccountTurns() }

  async function mail(
    session: SmtpSession,
    from: string,
    parameters: SmtpParameters,
  ): Promise<Reply | undefined> {
    const login = logins.of(session)
    // A session may stay open for hours: what was revoked meanwhile sends no more.
    const token = await accounts.current(login.token, session.remoteAddress)
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
    const size = declaredSize(parameters)
    if (size !== undefined && size > memory.of(by.accountId).free) return BUSY
    login.token = token
    const tls = parameters.has('REQUIRETLS') ? 'required' : undefined
    login.transaction = { from: address, accountId: by.accountId, size, tls }
    return undefined
  }

  async function data(session: SmtpSession): Promise<DataSink | Reply> {
    const login = logins.of(session)
    const { transaction } = login
    if (!transaction) throw new Error('a content came before its sender was checked')
    const standing = () => principalNow(login, transaction.accountId, accounts, session.remoteAddress)
    const by = await standing()
    if ('code' in by) return by
    const refusal = await acceptor.refuseSender(transaction.from, by)
    return refusal ? replyToRefusal(refusal) : receiveMessage(session, transaction, standing, receiving)
  }

  return {
    authenticate: (session, username, password) => logins.authenticate(session, username, password),
    mail,
    rcpt(_, to) {
      const address = parseAddress(to)
      if (isAddress(address)) return undefined
      return { code: 501, enhanced: '5.1.3', text: `Recipient refused: ${address.detail}` }
    },
    data,
    close: (session) => logins.closed(session),
  }
}

/** Who sends, as it stands now: between MAIL and the end of a content whole minutes may pass. */
async function principalNow(
  { token }: Login,
  accountId: string,
  accounts: Accounts,
  address: string,
): Promise<Principal | Reply> {
  const current = await accounts.current(token, address)
  if (!current) return TOKEN_ENDED
  return (await accounts.principal(current, accountId)) ?? FOREIGN_DOMAIN
}
