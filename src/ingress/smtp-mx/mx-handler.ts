import type { Feedback } from '#inbound/feedback/feedback.ts'
import type { FeedbackAddress } from '#inbound/feedback/returned-to.ts'
import type { Log } from '#observe/log.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { memoryBudget } from '#smtp/content-buffer.ts'
import type { SmtpHandler, SmtpParameters, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import { receiveReturned } from './receive-returned.ts'

export interface MxWorld {
  readonly feedback: Feedback
  /** Who takes all other mail, and answers for it. */
  readonly fallback?: SmtpHandler
  readonly log: Log
  /** Octets of returned mail held at once, over all sessions. */
  readonly memoryLimit?: number
}

const DEFAULT_MEMORY = 128 * 1024 * 1024

const UNKNOWN: Reply = {
  code: 550,
  enhanced: '5.1.1',
  text: 'No such address: it is the return path of no message that was sent from here',
}
const EXPIRED: Reply = {
  code: 550,
  enhanced: '5.7.1',
  text: 'This return path has expired: the message that it belongs to was sent too long ago',
}
const NO_RELAY: Reply = {
  code: 550,
  enhanced: '5.7.1',
  text: 'Relaying denied: mail for this address is not taken here',
}
// RFC 5321 §4.5.3.1.10: a client sends the recipients refused with 452 in a transaction of their own.
const ALONE: Reply = {
  code: 452,
  enhanced: '4.5.3',
  text: 'This recipient wants a transaction of its own',
}

/** One transaction: what MAIL said, and who its first recipient is. */
interface Transaction {
  readonly from: string
  readonly parameters: SmtpParameters
  /** The fallback's answer to MAIL, once it was asked. */
  asked?: Promise<Reply | undefined>
  returnedTo?: FeedbackAddress
}

/** The policy of the MX door: whose each recipient is. What came back about a delivery is about that one alone, so such
 *  a recipient shares its transaction with nobody. */
export function mxHandler({ feedback, fallback, log, memoryLimit = DEFAULT_MEMORY }: MxWorld): SmtpHandler {
  const memory = memoryBudget(memoryLimit)
  // Not in `session.state`, which is the fallback's.
  const transactions = new WeakMap<SmtpSession, Transaction>()

  function transactionOf(session: SmtpSession): Transaction {
    const transaction = transactions.get(session)
    if (!transaction) throw new Error('a recipient came before its sender')
    return transaction
  }

  async function rcpt(
    session: SmtpSession,
    to: string,
    parameters: SmtpParameters,
  ): Promise<Reply | undefined> {
    const transaction = transactionOf(session)
    const address = parseAddress(to)
    const returnedTo = isAddress(address) ? await feedback.whoIs(address) : undefined
    if (returnedTo?.kind === 'unknown') return UNKNOWN
    if (returnedTo?.kind === 'expired') return EXPIRED
    const isFirst = session.envelope.to.length === 0
    if (!isFirst && (returnedTo || transaction.returnedTo)) return ALONE
    if (!returnedTo) return elsewhere(session, transaction, { to, parameters })
    transaction.returnedTo = returnedTo
    return undefined
  }

  /** The fallback hears of MAIL with its first recipient: of a transaction that is not its own it never does. */
  async function elsewhere(
    session: SmtpSession,
    transaction: Transaction,
    { to, parameters }: { readonly to: string; readonly parameters: SmtpParameters },
  ): Promise<Reply | undefined> {
    if (!fallback) return NO_RELAY
    transaction.asked ??= Promise.resolve(fallback.mail?.(session, transaction.from, transaction.parameters))
    const refusal = await transaction.asked
    return refusal && refusal.code >= 400 ? refusal : fallback.rcpt?.(session, to, parameters)
  }

  return {
    connect: (session) => fallback?.connect?.(session),
    mail(session, from, parameters) {
      transactions.set(session, { from, parameters })
      return undefined
    },
    rcpt,
    data(session) {
      const { returnedTo } = transactionOf(session)
      if (returnedTo) return receiveReturned(session, returnedTo, { feedback, memory, log })
      return fallback?.data(session) ?? NO_RELAY
    },
    close: (session) => fallback?.close?.(session),
  }
}
