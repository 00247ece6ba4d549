import { setTimeout as sleep } from 'node:timers/promises'
import { networkOf } from '#net/network-of.ts'
import { addressScope } from '#net/private-address.ts'
import type { Log } from '#observe/log.ts'
import type { SmtpHandler, SmtpParameters, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import type { MxPeers } from './peers.ts'
import { windowCounts } from './window-counts.ts'

/** What the guard does with strangers before, and beside, what the door's own handler decides. */
export interface GuardOptions {
  readonly log: Log
  /** What DNS says of peers; without it nobody is listed. */
  readonly peers?: MxPeers
  /** Where a listed host's postmaster finds help: a URL or an address, for the reply. */
  readonly help?: string
  /** Recipients to whom listed hosts may write: whoever is to hear that a listing is wrong. */
  readonly spared?: (to: string) => boolean | Promise<boolean>
  /** A recipient was refused here, and its owner may want to know. Must not throw. */
  readonly refused?: (refusal: GuardRefusal) => void
  /** How long a client has to keep silent before it is greeted. */
  readonly greetingDelayMs?: number
  /** Of one IPv4 address or one IPv6 /64. */
  readonly connectionsPerMinute?: number
  readonly messagesPerMinute?: number
  /** Of one connection; the next one ends it. */
  readonly unknownRecipients?: number
  /** How much longer the answer to each further unknown recipient takes, once the free ones are used up. */
  readonly tarpitMs?: number
  /** Whose connections, messages and unknown recipients are counted; all but those of this machine. */
  readonly isCounted?: (address: string) => boolean
  /** Milliseconds that never go back. */
  readonly now?: () => number
}

export interface GuardRefusal {
  readonly session: SmtpSession
  readonly to: string
  readonly reason: 'block-list'
  /** Labels. */
  readonly listedOn: readonly string[]
  readonly reply: Reply
}

const MINUTE_MS = 60_000
/** A mailing list with some stale addresses is no harvest: so many cost nothing, unless they come from where more than
 *  `UNKNOWN_PER_HOUR` came from. */
const FREE_UNKNOWN = 5
const UNKNOWN_PER_HOUR = 100
const LONGEST_TARPIT = 5

const TOO_MANY_CONNECTIONS: Reply = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many connections from your network in the last minute, try again later',
}
const TOO_MANY_MESSAGES: Reply = {
  code: 450,
  enhanced: '4.7.1',
  text: 'Too many messages from your network in the last minute, try again later',
}
const TOO_MANY_UNKNOWN: Reply = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many recipients that do not exist, closing connection',
}

/** Puts a guard before a handler: it greets late, counts by network, holds up who guesses addresses, and refuses the
 *  recipients of hosts on block lists. A listed host is refused at RCPT and not at the greeting, so that the recipient's
 *  owner can be told, and so that it still reaches the postmaster (RFC 5321 §4.5.1). All its memory is bounded.
 *  The handler tells an unknown recipient by 550 5.1.1. */
export function guardDoor(inner: SmtpHandler, options: GuardOptions): SmtpHandler {
  const { peers, spared, refused, isCounted = isStranger, now = () => performance.now(), log } = options
  const { connectionsPerMinute = Infinity, messagesPerMinute = Infinity } = options
  const { unknownRecipients = Infinity, tarpitMs = 1000, greetingDelayMs = 0, help } = options
  const connections = windowCounts({ windowMs: MINUTE_MS, now })
  const messages = windowCounts({ windowMs: MINUTE_MS, now })
  const unknown = windowCounts({ windowMs: 60 * MINUTE_MS, now })
  const unknownOf = new WeakMap<SmtpSession, number>()

  async function connect(session: SmtpSession): Promise<Reply | undefined> {
    const { remoteAddress } = session
    if (isCounted(remoteAddress) && connections.add(networkOf(remoteAddress)) > connectionsPerMinute) {
      log.info({ peer: remoteAddress }, 'mx: too many connections in a minute')
      return TOO_MANY_CONNECTIONS
    }
    // Asked early and awaited late, when there is a recipient.
    void peers?.factsOf(session)
    // While this runs, whoever speaks is refused (RFC 5321 §3.1).
    if (greetingDelayMs > 0) await sleep(greetingDelayMs, undefined, { ref: false })
    return inner.connect?.(session)
  }

  function mail(session: SmtpSession, from: string, parameters: SmtpParameters) {
    const { remoteAddress } = session
    if (isCounted(remoteAddress) && messages.add(networkOf(remoteAddress)) > messagesPerMinute) {
      log.info({ peer: remoteAddress }, 'mx: too many messages in a minute')
      return TOO_MANY_MESSAGES
    }
    return inner.mail?.(session, from, parameters)
  }

  async function rcpt(session: SmtpSession, to: string, parameters: SmtpParameters) {
    const blocked = await blockedReply(session, to)
    if (blocked) return blocked
    const reply = await inner.rcpt?.(session, to, parameters)
    const isUnknown = reply?.code === 550 && reply.enhanced === '5.1.1'
    return isUnknown && isCounted(session.remoteAddress) ? holdUp(session, reply) : reply
  }

  async function blockedReply(session: SmtpSession, to: string): Promise<Reply | undefined> {
    const { listedOn } = (await peers?.factsOf(session)) ?? { listedOn: [] }
    if (listedOn.length === 0 || (await spared?.(to))) return undefined
    const reply = listedReply(session.remoteAddress, listedOn, help)
    log.info({ peer: session.remoteAddress, listedOn }, 'mx: refused for a block list')
    refused?.({ session, to, reason: 'block-list', listedOn, reply })
    return reply
  }

  async function holdUp(session: SmtpSession, reply: Reply): Promise<Reply> {
    const ofSession = (unknownOf.get(session) ?? 0) + 1
    unknownOf.set(session, ofSession)
    const ofNetwork = unknown.add(networkOf(session.remoteAddress))
    if (ofSession > unknownRecipients) {
      log.info({ peer: session.remoteAddress }, 'mx: too many unknown recipients')
      return TOO_MANY_UNKNOWN
    }
    const charged = ofSession - (ofNetwork > UNKNOWN_PER_HOUR ? 0 : FREE_UNKNOWN)
    if (charged > 0) await sleep(Math.min(charged, LONGEST_TARPIT) * tarpitMs, undefined, { ref: false })
    return reply
  }

  return {
    connect,
    mail,
    rcpt,
    data: (session) => inner.data(session),
    close: (session) => inner.close?.(session),
  }
}

/** In the words of reference-postmaster.md. */
function listedReply(address: string, listedOn: readonly string[], help: string | undefined): Reply {
  const found = `${address} found on one or more RBLs (${listedOn.join(', ')}).`
  return { code: 554, enhanced: '5.7.1', text: help === undefined ? found : `${found} Refer to ${help}` }
}

function isStranger(address: string): boolean {
  return addressScope(address) !== 'loopback'
}
