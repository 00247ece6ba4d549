import type { Spool } from '#bodies/spool.ts'
import type { Act } from '#inbound/act/act.ts'
import type { WayFound } from '#inbound/act/find-way.ts'
import type { Recipient, Way } from '#inbound/act/incoming.ts'
import type { SpfVerdict } from '#inbound/authenticate/authentication.ts'
import type { Authenticator } from '#inbound/authenticate/authenticator.ts'
import type { Feedback } from '#inbound/feedback/feedback.ts'
import type { FeedbackAddress } from '#inbound/feedback/returned-to.ts'
import { type Address, foldAddress } from '#model/address.ts'
import { networkOf } from '#net/network-of.ts'
import type { Log } from '#observe/log.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { isAscii } from '#protocol/header-block.ts'
import { memoryBudget } from '#smtp/content-buffer.ts'
import type { DataSink, SmtpHandler, SmtpParameters, SmtpSession } from '#smtp/handler.ts'
import { declaredSize } from '#smtp/mail-parameters.ts'
import { messageTooBig } from '#smtp/message-too-big.ts'
import type { Reply } from '#smtp/reply.ts'
import type { MxPeers } from './peers.ts'
import { receiveReturned } from './receive-returned.ts'
import { MOST_ROUTED, receiveRouted } from './receive-routed.ts'
import { SPOOL_FULL } from './spool-full.ts'

export interface MxWorld {
  readonly feedback: Feedback
  /** Mail for routed domains; without it there are none. */
  readonly routing?: RoutingWorld
  /** Who takes all other mail, and answers for it. */
  readonly fallback?: SmtpHandler
  readonly log: Log
  /** Octets of returned mail held at once, over all sessions. */
  readonly memoryLimit?: number
}

export interface RoutingWorld {
  readonly findWay: (to: string) => Promise<WayFound>
  /** The sender of MAIL FROM; undefined for one that no forward could go back to. */
  readonly senderPath: (path: string) => Address | '' | undefined
  readonly authenticator: Pick<Authenticator, 'checkSender'>
  readonly act: Act
  /** A recipient was refused, and its domain's owner may want to know. Must not throw. */
  readonly recordRefusal: (session: SmtpSession, to: string, reason: string) => void
  readonly spool: Spool
  readonly peers?: MxPeers
  readonly now: () => number
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
const NO_SENDER: Reply = {
  code: 553,
  enhanced: '5.1.7',
  text: 'MAIL FROM is no address that mail could go back to',
}
// RFC 5321 §4.5.3.1.10: a client sends the recipients refused with 452 in a transaction of their own.
const ALONE: Reply = {
  code: 452,
  enhanced: '4.5.3',
  text: 'This recipient wants a transaction of its own',
}

/** One transaction: what MAIL said, and who its recipients are. */
interface Transaction {
  readonly from: string
  readonly parameters: SmtpParameters
  /** The fallback's answer to MAIL, once it was asked. */
  asked?: Promise<Reply | undefined>
  returnedTo?: FeedbackAddress
  readonly routed: Recipient[]
  spf?: Promise<SpfVerdict | 'unavailable'>
}

/** The policy of the MX door: whose each recipient is. What came back about a delivery is about that one alone, so such
 *  a recipient shares its transaction with nobody. */
export function mxHandler({
  feedback,
  routing,
  fallback,
  log,
  memoryLimit = DEFAULT_MEMORY,
}: MxWorld): SmtpHandler {
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
    const way = await routing?.findWay(to)
    if (way?.kind === 'refused') {
      if (way.domain) routing?.recordRefusal(session, to, way.answer.text)
      return way.answer
    }
    const size = declaredSize(transaction.parameters) ?? 0
    if (way?.kind === 'rule' && size > MOST_ROUTED) return messageTooBig(MOST_ROUTED)
    if (way && way.kind !== 'not-ours' && way.kind !== 'unused') {
      return takeRouted(session, transaction, { to: recipientOf(to, way), way })
    }
    const address = parseAddress(to)
    const returnedTo = isAddress(address) ? await feedback.whoIs(address) : undefined
    if (returnedTo?.kind === 'unknown') return UNKNOWN
    if (returnedTo?.kind === 'expired') return EXPIRED
    const isFirst = session.envelope.to.length === 0
    // Not ours in any transaction.
    if (!returnedTo && !fallback) return way?.kind === 'unused' ? NOBODY : NO_RELAY
    if (!isFirst && (returnedTo || transaction.returnedTo || transaction.routed.length > 0)) return ALONE
    if (!returnedTo)
      return elsewhere(session, transaction, { to, parameters, unused: way?.kind === 'unused' })
    transaction.returnedTo = returnedTo
    return undefined
  }

  /** DECISIONS, Routing: several recipients only for a sender that is proven before the content, because then it can be
   *  told by mail of those that refuse; one that a Worker handles always alone. */
  async function takeRouted(
    session: SmtpSession,
    transaction: Transaction,
    recipient: Recipient,
  ): Promise<Reply | undefined> {
    const { routed, from } = transaction
    if (routing?.senderPath(from) === undefined) return NO_SENDER
    const key = foldAddress(recipient.to)
    if (routed.some(({ to }) => foldAddress(to) === key)) return undefined
    const isFirst = session.envelope.to.length === 0
    if (!isFirst) {
      // The null sender could not be told by mail.
      if (from === '' || routed.length === 0 || [...routed, recipient].some(isForWorker)) return ALONE
      const spf = await (transaction.spf ??= checkSender(session, from))
      if (spf === 'unavailable' || spf.result !== 'pass') return ALONE
    }
    routed.push(recipient)
    return undefined
  }

  async function checkSender({ remoteAddress, helo }: SmtpSession, mailFrom: string) {
    return routing ? routing.authenticator.checkSender({ remoteAddress, helo, mailFrom }) : 'unavailable'
  }

  /** The fallback hears of MAIL with its first recipient: of a transaction that is not its own it never does. */
  async function elsewhere(
    session: SmtpSession,
    transaction: Transaction,
    {
      to,
      parameters,
      unused,
    }: { readonly to: string; readonly parameters: SmtpParameters; readonly unused: boolean },
  ): Promise<Reply | undefined> {
    if (!fallback) return unused ? NOBODY : NO_RELAY
    transaction.asked ??= Promise.resolve(fallback.mail?.(session, transaction.from, transaction.parameters))
    const refusal = await transaction.asked
    return refusal && refusal.code >= 400 ? refusal : fallback.rcpt?.(session, to, parameters)
  }

  async function receive(session: SmtpSession, transaction: Transaction): Promise<DataSink | Reply> {
    const [first, ...others] = transaction.routed
    if (!first || !routing) throw new Error('no recipient is routed')
    // Before there is a place in the spool that would have to be given back.
    const spf = await transaction.spf
    const size = declaredSize(transaction.parameters)
    const spooled = routing.spool.open(networkOf(session.remoteAddress), size)
    if (!spooled) return SPOOL_FULL
    const mailFrom = routing.senderPath(transaction.from) ?? ''
    return receiveRouted(
      session,
      {
        mailFrom,
        recipients: [first, ...others],
        ...(spf && spf !== 'unavailable' && { spf }),
      },
      {
        act: routing.act,
        spooled,
        peer: async () => routing.peers?.factsOf(session),
        now: routing.now,
      },
    )
  }

  return {
    connect: (session) => fallback?.connect?.(session),
    mail(session, from, parameters) {
      transactions.set(session, { from, parameters, routed: [] })
      return undefined
    },
    rcpt,
    data(session) {
      const transaction = transactionOf(session)
      const { returnedTo, routed } = transaction
      if (returnedTo) return receiveReturned(session, returnedTo, { feedback, memory, log })
      if (routed.length > 0) return receive(session, transaction)
      return fallback?.data(session) ?? NO_RELAY
    },
    close: (session) => fallback?.close?.(session),
  }
}

const NOBODY: Reply = { code: 550, enhanced: '5.1.1', text: 'No such address here' }

/** As it was written, where that asks nothing of the next host: a domain in U-labels would (RFC 6531 §3.2). */
function recipientOf(path: string, way: Way): Address {
  if (way.kind === 'operator') return way.address
  const address = parseAddress(path)
  // `findWay` has read it as one.
  return isAscii(path.slice(path.lastIndexOf('@'))) || !isAddress(address) ? (path as Address) : address
}

function isForWorker({ way }: Recipient): boolean {
  return way.kind === 'rule' && way.rule.action.type === 'worker'
}
