import { eventWrite } from '#events/events.ts'
import type { Cause, EventDetail, EventType } from '#model/event.ts'
import type { Verdict } from '#model/delivery.ts'
import { foldAddress } from '#model/address.ts'
import type { Log } from '#observe/log.ts'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { laneBacksOff, laneRecovers } from '#outbound/queue/lane-waits.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import { deferDelivery, settleDelivery } from '#outbound/queue/settle-delivery.ts'
import { suppressWrite } from '#registry/suppressions/suppressions.ts'
import type { Store, Write } from '#store/store.ts'
import { backoff } from './backoff.ts'
import type { Classified } from './classify.ts'

/** Outcome: what became of an attempt. In: the delivery engine's reports. Out: one commit per report (transition,
 *  event, suppression, release of the body) and, after it, the verdict for whoever waits. Promise: a delivery settles
 *  once, with one terminal event; a report that comes too late changes nothing. */
export interface Outcome {
  delivered(delivery: ClaimedDelivery, attempt: AttemptReport): Promise<void>
  /** The recipient's server, or DNS, said no, for now or for good. */
  refused(delivery: ClaimedDelivery, attempt: AttemptReport, classified: Classified): Promise<void>
  /** No host of the lane could be talked to: one attempt and one backoff for all that wait in it (promise 4). Returns
   *  the time until which the lane rests. */
  unreachable(deliveries: readonly [ClaimedDelivery, ...ClaimedDelivery[]], attempt: AttemptReport, cause: Cause): Promise<number>
  /** The lane's host answered after failures. */
  recovered(accountId: string, recipientDomain: string): Promise<void>
  /** Gives deliveries back without an attempt: a shutdown. */
  putBack(deliveries: readonly ClaimedDelivery[]): Promise<void>
}

/** What the engine saw of one attempt, for the event and the timeline. */
export interface AttemptReport {
  readonly host?: string
  readonly address?: string
  readonly tls?: string
  /** The deciding reply, or a sentence for what came instead of one. */
  readonly reply?: string
  readonly smtpStatus?: number
  readonly enhancedStatus?: string
  readonly durationMs?: number
}

export interface OutcomeOptions {
  readonly store: Store
  readonly queue: Queue
  readonly log: Log
  readonly retryMs: readonly number[]
  readonly bodyRetentionMs: number
  readonly now: () => number
  readonly random: () => number
}

export function openOutcome(options: OutcomeOptions): Outcome {
  const { store, queue, log, retryMs, now, random } = options
  const releaseAt = (delivery: ClaimedDelivery, at: number) =>
    delivery.message.previewEnabled ? at + options.bodyRetentionMs : at

  async function commit(delivery: ClaimedDelivery, set: readonly Write[], verdict: Verdict): Promise<void> {
    const result = await store.commit(set)
    if (result.ok) queue.verdicts.announce(delivery.id, verdict)
    else log.warn({ delivery: delivery.id, verdict, conflict: result.conflict }, 'outcome: delivery had moved on')
  }

  async function delivered(delivery: ClaimedDelivery, attempt: AttemptReport): Promise<void> {
    const at = now()
    const settlement = { state: 'delivered', at, reply: attempt.reply ?? null, cause: null, releaseAt: releaseAt(delivery, at) } as const
    await commit(delivery, [...settleDelivery(delivery, settlement), attemptEvent('delivered', delivery, attempt, at)], 'delivered')
  }

  async function bounced(delivery: ClaimedDelivery, attempt: AttemptReport, classified: Classified): Promise<void> {
    const at = now()
    const { cause, suppression } = classified
    const settlement = { state: 'bounced', at, reply: attempt.reply ?? null, cause, releaseAt: releaseAt(delivery, at) } as const
    const set: Write[] = [
      ...settleDelivery(delivery, settlement),
      attemptEvent('bounced', delivery, attempt, at, { cause }),
    ]
    if (suppression) set.push(suppressRecipient(delivery, suppression, at))
    await commit(delivery, set, 'bounced')
  }

  async function deferred(delivery: ClaimedDelivery, attempt: AttemptReport, cause: Cause): Promise<void> {
    const at = now()
    const dueAt = at + backoff(retryMs, delivery.attempts + 1, random())
    const deferral = { dueAt, reply: attempt.reply ?? null, cause, attempted: 1 } as const
    const event = attemptEvent('deferred', delivery, attempt, at, { cause, retryAt: dueAt })
    await commit(delivery, [...deferDelivery(delivery, deferral), event], 'deferred')
    queue.wake(dueAt)
  }

  return {
    delivered,
    refused: (delivery, attempt, classified) =>
      classified.permanent ? bounced(delivery, attempt, classified) : deferred(delivery, attempt, classified.cause),
    async unreachable([first, ...others], attempt, cause) {
      const at = now()
      const dueAt = at + backoff(retryMs, first.attempts + 1, random())
      const { accountId } = first.message
      const reply = attempt.reply ?? null
      // The lane's own wait comes first in the set: `laneWaits` of the deliveries then leaves it alone.
      const set = [
        laneBacksOff(accountId, first.recipientDomain, dueAt),
        ...deferDelivery(first, { dueAt, reply, cause, attempted: 1 }),
        attemptEvent('deferred', first, attempt, at, { cause, retryAt: dueAt }),
      ]
      await commit(first, set, 'deferred')
      for (const other of others) {
        await commit(other, deferDelivery(other, { dueAt, reply, cause, attempted: 0 }), 'deferred')
      }
      queue.wake(dueAt)
      return dueAt
    },
    async recovered(accountId, recipientDomain) {
      await store.commit([laneRecovers(accountId, recipientDomain)])
      queue.wake()
    },
    async putBack(deliveries) {
      for (const delivery of deliveries) {
        await commit(delivery, deferDelivery(delivery, { dueAt: now(), reply: null, cause: 'other', attempted: 0 }), 'deferred')
      }
    },
  }
}

/** What an event tells of an attempt: the story, never the content. */
function attemptEvent(type: EventType, delivery: ClaimedDelivery, attempt: AttemptReport, at: number, more: EventDetail = {}): Write {
  const { reply, ...seen } = attempt
  return eventWrite({
    type,
    at,
    accountId: delivery.message.accountId,
    domainId: delivery.message.domainId,
    messageId: delivery.message.id,
    deliveryId: delivery.id,
    terminal: type !== 'deferred',
    detail: {
      sender: delivery.message.sender,
      recipient: delivery.recipient,
      subject: delivery.message.subject,
      attempt: delivery.attempts + 1,
      ...seen,
      ...(reply !== undefined && { smtpReply: reply }),
      ...more,
    },
  })
}

export function suppressRecipient(
  delivery: Pick<ClaimedDelivery, 'message' | 'recipient'>,
  suppression: NonNullable<Classified['suppression']>,
  at: number,
): Write {
  return suppressWrite({
    accountId: delivery.message.accountId,
    email: delivery.recipient,
    emailKey: foldAddress(delivery.recipient),
    reason: suppression.reason,
    createdAt: at,
    expiresAt: suppression.forMs === null ? null : at + suppression.forMs,
  })
}
