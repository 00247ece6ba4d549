import { type Bodies, BodyLost } from '#bodies/bodies.ts'
import { type Address, domainOf, foldAddress } from '#model/address.ts'
import type { ServiceNames } from '#model/service.ts'
import type { Log } from '#observe/log.ts'
import { mailIds } from '#observe/mail-ids.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import type { Domains } from '#registry/domains/domains.ts'
import { newId } from '#store/id.ts'
import { StatementFailed } from '#store/statement-failed.ts'
import { type CommitResult, type Store, statement, type Write } from '#store/store.ts'
import { composeNotice, NOTICE_SUBJECT } from './compose-notice.ts'
import type { Failure } from './failure.ts'
import { noticeIds } from './notice-id.ts'
import { promiseOwnMail } from './promise-own-mail.ts'
import { headerAsItCame, headerSection } from './returned-header.ts'
import { openSenderAllowance } from './sender-allowance.ts'

/** Notices: mail of our own. In: a delivery that has failed for good. Out: the writes that promise a notice about it to
 *  its sender, for the set that settles it. Promise: one notice for each failed delivery at most, and none without its
 *  settlement; none about a notice, and none that anything could answer into a loop: the null return path, an
 *  Auto-Submitted header, and an allowance for each sender.
 *
 *  A notice belongs to the sender's account, whose lanes it takes, and to no domain (`domainId` null); its `sender` is
 *  ''. So it counts towards no quota, and whoever counts what customers send leaves it out by either mark. */
export interface Notices {
  /** Commits the set that settles a failed delivery and, in it, the notice about that, where there is to be one. Out: as
   *  of the set alone. A notice that cannot be made is logged, and holds up no settlement. */
  settle(failure: Failure, set: readonly Write[]): Promise<CommitResult>
}

export interface NoticesOptions {
  readonly store: Store
  readonly bodies: Bodies
  readonly queue: Pick<Queue, 'wake'>
  readonly domains: Pick<Domains, 'senderDomain' | 'ensureServiceKeys'>
  readonly service: ServiceNames
  readonly log: Log
  /** How long a notice is tried, in ms. */
  readonly expireMs: number
  /** The most that one sender gets in an hour. */
  readonly perHour?: number
}

const PER_HOUR = 100

/** What SQLite and PostgreSQL say of a violated constraint. */
const CONSTRAINT = /^(19|23...)$/

/** A message to somebody: everything but the null sender's. */
type Answerable = Failure & { readonly message: { readonly sender: Address } }

export function openNotices(options: NoticesOptions): Notices {
  const { store, bodies, domains, service, log } = options
  const allowance = openSenderAllowance(options.perHour ?? PER_HOUR)
  // Parsing it would prove what the service domain's own check has proven.
  const daemon = `MAILER-DAEMON@${service.email}` as Address
  let reading: Promise<unknown> = Promise.resolve()

  async function settle(failure: Failure, set: readonly Write[]): Promise<CommitResult> {
    const notice = isAnswerable(failure) ? await promiseNotice(failure) : undefined
    if (!notice) return store.commit(set)
    let written = false
    try {
      const result = await store.commit([...set, ...notice.writes])
      written = result.ok
      return result
    } catch (error) {
      if (!(error instanceof StatementFailed && CONSTRAINT.test(String(error.code)))) throw error
      // Nothing was written. Another process had the same notice in hand, or the fault is the set's and comes again.
      log.warn({ err: error, ...idsOf(failure) }, 'notices: settled without')
      return await store.commit(set)
    } finally {
      if (written) options.queue.wake()
      else notice.withdraw()
    }
  }

  async function promiseNotice(failure: Answerable) {
    const sender = `${failure.message.accountId} ${foldAddress(failure.message.sender)}`
    const withdraw = () => allowance.giveBack(sender)
    let granted = false
    try {
      if (!(await isWanted(failure))) return undefined
      granted = isAllowed(failure, sender)
      return granted ? { writes: await make(failure), withdraw } : undefined
    } catch (error) {
      if (granted) withdraw()
      log.error({ err: error, ...idsOf(failure) }, 'notices: none was made')
      return undefined
    }
  }

  function isAllowed({ message, deliveryId, at }: Answerable, sender: string): boolean {
    const taken = allowance.take(sender, at)
    if (taken === 'first-refused') {
      log.warn(idsOf({ message, deliveryId }), 'notices: no more to this sender this hour')
    }
    return taken === 'granted'
  }

  function isAnswerable(failure: Failure): failure is Answerable {
    const { sender, forwarding } = failure.message
    if (sender === '' || forwarding?.tellsSender === false) return false
    // An answer to a notice may fail as well: its author is a machine that does not look at what it answers.
    return foldAddress(failure.recipient) !== foldAddress(daemon)
  }

  async function isWanted({ message, deliveryId }: Answerable): Promise<boolean> {
    if (!(message.forwarding || (await isStillHeld(message)))) return false
    return (await store.get(known, [noticeIds(deliveryId).messageId])) === undefined
  }

  /** Whoever has the sender's name now is told nothing of another account's mail. */
  async function isStillHeld({ accountId, sender }: Answerable['message']): Promise<boolean> {
    const { kind } = await domains.senderDomain(accountId, domainOf(sender))
    return kind !== 'unknown' && kind !== 'unverified'
  }

  async function make(failed: Answerable): Promise<Write[]> {
    const { sender, accountId, previewEnabled, forwarding } = failed.message
    // RFC 3464 §2.1: where forwarded mail was to go is its recipient's own affair.
    const failure = forwarding ? { ...failed, recipient: forwarding.routed.recipient } : failed
    const { at } = failure
    const ids = noticeIds(failure.deliveryId)
    const headerMessageId = `<${ids.messageId}@${service.email}>`
    const composed = composeNotice(failure, {
      from: daemon,
      to: sender,
      messageId: headerMessageId,
      host: service.domain,
      header: await readHeader(failure),
      boundary: `--=_${newId()}`,
    })
    const content = await signMessage(composed, await domains.ensureServiceKeys(), new Date(at))
    return promiseOwnMail(
      {
        ...ids,
        accountId,
        headerMessageId,
        recipient: sender,
        subject: NOTICE_SUBJECT,
        content,
        // It quotes the header that the preview would show.
        previewEnabled,
        // RFC 8689 §5: a notice is not discarded for want of REQUIRETLS, whatever the message asked for.
        tls: 'policy',
        at,
        expiresAt: at + options.expireMs,
      },
      bodies,
    )
  }

  /** From memory, or else one message at a time: a sweep of many large ones must not hold them all at once. */
  async function readHeader({ content, message, deliveryId }: Failure): Promise<Buffer | undefined> {
    const section = message.forwarding ? headerAsItCame : headerSection
    if (content) return section(content)
    const read = async () => {
      const stored = await bodies.read(message.bodyId)
      return stored && section(stored)
    }
    const result = reading.then(read)
    reading = result.catch(() => undefined)
    return result.catch((error: unknown) => {
      if (!(error instanceof BodyLost)) throw error
      log.error(
        { err: error, ...idsOf({ message, deliveryId }) },
        'notices: one goes without the header of its message',
      )
      return undefined
    })
  }

  return { settle }
}

function idsOf({ message, deliveryId: id }: Pick<Failure, 'message' | 'deliveryId'>) {
  return mailIds({ id, message })
}

const known = statement<{ id: string }>('notices.known', 'select id from message where id = $1')
