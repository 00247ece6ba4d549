import { eventWrite } from '#events/events.ts'
import { type Address, domainOf } from '#model/address.ts'
import type { Forwarding } from '#model/routing.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'
import type { Log } from '#observe/log.ts'
import { mailIds } from '#observe/mail-ids.ts'
import type { SessionAttempt, SessionVerdict } from '#outbound/deliver/session-attempts.ts'
import type { Failure } from '#outbound/notices/failure.ts'
import type { Notices } from '#outbound/notices/notices.ts'
import { type AttemptReport, attemptEvent, forwardedDetail } from '#outbound/outcome/attempt-event.ts'
import type { ClaimedDelivery, QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import { newId } from '#store/id.ts'
import { type Store, StoreFull } from '#store/store.ts'
import type { Acted, Refused } from './combine-answers.ts'
import { knownAs } from './incoming-ids.ts'
import { relayRefusal } from './relay-refusal.ts'

export interface ForwardWorld {
  readonly store: Store
  readonly queue: Pick<Queue, 'promise'>
  readonly notices: Notices
  readonly log: Log
  /** One attempt beside all others; undefined where its lane has no room now. */
  readonly attempt: (delivery: ClaimedDelivery, withinMs: number) => SessionAttempt | undefined
  /** How long the sender waits in the session for the destination's answer. */
  readonly attemptMs: number
  /** How long what was promised is tried. */
  readonly expireMs: number
  readonly newToken: () => string
  readonly now: () => number
}

/** One message on its way on, to one destination. */
export interface Forward
  extends Pick<QueuedMessage, 'id' | 'accountId' | 'domainId' | 'sender' | 'previewEnabled' | 'tls'> {
  readonly destination: Address
  readonly content: NonNullable<ClaimedDelivery['content']>
  readonly headerMessageId: string
  readonly subject: string
  readonly forwarding: Forwarding
}

// RFC 5321 §4.2.3: 452, insufficient system storage.
export const FULL: SmtpAnswer = { code: 452, enhanced: '4.3.1', text: 'The disk is full, try again later' }

/** Forwards while the sender waits (promise 5): the destination's 250 is recorded before it is passed on, its refusal is
 *  the sender's; what it puts off, or does not say in time, is promised, and then the sender has its 250. */
export async function forward(world: ForwardWorld, order: Forward): Promise<Acted> {
  const delivery = deliveryOf(order, world)
  const attempt = world.attempt(delivery, world.attemptMs)
  let promised = false
  try {
    const verdict = await attempt?.verdict
    if (verdict?.kind === 'refused') return refusal(world, delivery, verdict)
    if (verdict?.kind === 'delivered') {
      await recordDelivered(world, delivery, verdict.report)
      return { kind: 'taken' }
    }
    promised = await promise(world, delivery, attempt !== undefined)
    return promised ? { kind: 'taken' } : { kind: 'not-now', answer: FULL }
  } finally {
    // What the attempt comes to is recorded from here on, or by nobody.
    attempt?.conclude(promised)
  }
}

/** A full disk may cost the event, and not the answer: the destination has the message, and each time that the sender
 *  came again it would have it once more. */
async function recordDelivered(
  { store, log, now }: ForwardWorld,
  delivery: Carried,
  report: AttemptReport,
): Promise<void> {
  try {
    await store.commit([attemptEvent('delivered', delivery, report, now())])
  } catch (error) {
    if (!(error instanceof StoreFull)) throw error
    log.error(
      { err: error, ...idsOf(delivery) },
      'act: the disk is full, a forward that was delivered has no event',
    )
  }
}

type Carried = ClaimedDelivery & { readonly content: NonNullable<ClaimedDelivery['content']> }

/** With what its sender knows it by, and the session that it came by. */
function idsOf(delivery: Carried): object {
  const { headerMessageId, forwarding } = delivery.message
  return {
    ...mailIds(delivery),
    ...knownAs(headerMessageId),
    ...(forwarding && { session: forwarding.routed.sessionId }),
  }
}

function deliveryOf(order: Forward, { now, newToken, expireMs }: ForwardWorld): Carried {
  const { destination, content, ...of } = order
  const at = now()
  return {
    id: newId(),
    message: {
      ...of,
      returnPathDomain: '',
      bodyId: '',
      size: Buffer.isBuffer(content) ? content.length : content.size,
      createdAt: at,
    },
    recipient: destination,
    recipientDomain: domainOf(destination),
    attempts: 0,
    expiresAt: at + expireMs,
    createdAt: at,
    claimToken: newToken(),
    probe: false,
    content,
  }
}

function refusal(
  { store, notices, now }: ForwardWorld,
  delivery: Carried,
  { report, classified: { cause } }: SessionVerdict & { kind: 'refused' },
): Refused {
  const at = now()
  const { message, recipient, content } = delivery
  const { reply, enhancedStatus, host, address } = report
  const failure: Failure = {
    deliveryId: delivery.id,
    message,
    recipient,
    ...{ end: 'refused', cause, attempts: 1, at },
    ...(reply !== undefined && { reply }),
    ...(enhancedStatus !== undefined && { enhancedStatus }),
    ...(host !== undefined && { host }),
    ...(address !== undefined && { address }),
    content: Buffer.isBuffer(content) ? content : content.header,
  }
  const event = attemptEvent('bounced', delivery, report, at, { cause })
  return {
    kind: 'refused',
    answer: relayRefusal(report),
    record: (told) => (told ? store.commit([event]) : notices.settle(failure, [event])),
  }
}

/** Once it resolves true the message survives a crash. `attempted`: the engine has it in hand. */
async function promise(
  { queue, log }: ForwardWorld,
  delivery: Carried,
  attempted: boolean,
): Promise<boolean> {
  const { id, message, recipient, content, claimToken, expiresAt, createdAt } = delivery
  const { accountId, domainId, sender, subject, size } = message
  const accepted = eventWrite({
    type: 'accepted',
    ...{ at: createdAt, accountId, domainId, messageId: message.id, deliveryId: null, terminal: false },
    detail: {
      ...{ sender, recipients: [recipient], subject, size },
      ...forwardedDetail(message),
    },
  })
  try {
    const promised = await queue.promise({
      message,
      content,
      recipients: [{ deliveryId: id, recipient, ...(attempted && { attemptedAs: claimToken }) }],
      suppressed: [],
      expiresAt,
      writes: [accepted],
    })
    return promised.ok
  } catch (error) {
    if (!(error instanceof StoreFull)) throw error
    log.error({ err: error, ...idsOf(delivery) }, 'act: the disk is full, a forward is put off')
    return false
  }
}
