import type { Verdict } from '#model/delivery.ts'
import type { Cause } from '#model/event.ts'
import type { Log } from '#observe/log.ts'
import { mailIds } from '#observe/mail-ids.ts'
import type { Failure } from '#outbound/notices/failure.ts'
import type { Notices } from '#outbound/notices/notices.ts'
import { type ClaimedDelivery, laneOf } from '#outbound/queue/claimed-delivery.ts'
import { deferDelivery } from '#outbound/queue/defer-delivery.ts'
import type { Lane } from '#outbound/queue/lane.ts'
import { laneFailures } from '#outbound/queue/lane-failures.ts'
import { laneBacksOff, laneRecovers } from '#outbound/queue/lane-waits.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import { type ReturnReason, returnClaims } from '#outbound/queue/return-claims.ts'
import { settleDelivery } from '#outbound/queue/settle-delivery.ts'
import type { CommitResult, Store, Write } from '#store/store.ts'
import { type AttemptReport, attemptEvent } from './attempt-event.ts'
import { backoff, leastWait } from './backoff.ts'
import type { Classified } from './classify.ts'
import { speaksOfAccount, suppressionWrites } from './suppression-writes.ts'

/** Outcome: what became of an attempt. In: the delivery engine's reports. Out: one commit per report (transition,
 *  event, suppression, notice to the sender, release of the body) and, after it, the verdict for whoever waits. Promise:
 *  a delivery settles once, with one terminal event; a report that comes too late changes nothing. Whatever rejects was
 *  not recorded and may be called again. */
export interface Outcome {
  delivered(delivery: ClaimedDelivery, attempt: AttemptReport): Promise<void>
  /** The recipient's server, or DNS, said no, for now or for good. */
  refused(delivery: ClaimedDelivery, attempt: AttemptReport, classified: Classified): Promise<void>
  /** No host of the lane could be talked to: one attempt and one backoff for all that wait in it (promise 4). All
   *  deliveries are of one lane. Returns how long the lane rests, in ms. */
  unreachable(deliveries: Lanemates, attempt: AttemptReport, cause: Cause): Promise<number>
  /** The lane's host answered after failures. */
  recovered(lane: Lane): Promise<void>
  /** Something of ours went wrong before the recipient's server had its say: tried again later, like a refusal for
   *  now, so that what fails for ever does so slowly and ends by expiring. */
  stumbled(delivery: ClaimedDelivery): Promise<void>
  /** Gives deliveries back without an attempt: a shutdown, or an operator's pause. Their lanes are due in `inMs`. */
  putBack(deliveries: readonly ClaimedDelivery[], inMs?: number): Promise<void>
}

/** Deliveries of one lane. */
export type Lanemates = readonly [ClaimedDelivery, ...ClaimedDelivery[]]

export interface OutcomeOptions {
  readonly store: Store
  readonly queue: Queue
  readonly notices: Notices
  readonly log: Log
  readonly retryMs: readonly number[]
  readonly bodyRetentionMs: number
  readonly now: () => number
  readonly random: () => number
}

export function openOutcome(options: OutcomeOptions): Outcome {
  const { store, queue, notices, log, retryMs, now, random } = options
  const releaseAt = (delivery: ClaimedDelivery, at: number) =>
    delivery.message.previewEnabled ? at + options.bodyRetentionMs : at

  /** False: the delivery had moved on, and nothing was written. */
  async function conclude(
    delivery: ClaimedDelivery,
    committing: Promise<CommitResult>,
    verdict: Verdict,
  ): Promise<boolean> {
    const result = await committing
    if (result.ok) queue.verdicts.announce(delivery.id, verdict)
    else log.warn({ ...mailIds(delivery), verdict, conflict: result.conflict }, 'outcome: too late')
    return result.ok
  }

  async function delivered(delivery: ClaimedDelivery, attempt: AttemptReport): Promise<void> {
    const at = now()
    const reply = attempt.reply ?? null
    const settlement = {
      state: 'delivered',
      at,
      reply,
      cause: null,
      releaseAt: releaseAt(delivery, at),
    } as const
    const event = attemptEvent('delivered', delivery, attempt, at)
    await conclude(delivery, store.commit([...settleDelivery(delivery, settlement), event]), 'delivered')
  }

  async function bounced(
    delivery: ClaimedDelivery,
    attempt: AttemptReport,
    classified: Classified,
  ): Promise<void> {
    const at = now()
    const { cause, suppression } = classified
    const reply = attempt.reply ?? null
    const settlement = { state: 'bounced', at, reply, cause, releaseAt: releaseAt(delivery, at) } as const
    const set: Write[] = [
      ...settleDelivery(delivery, settlement),
      attemptEvent('bounced', delivery, attempt, at, { cause }),
    ]
    const suppresses = speaksOfAccount(delivery.message) ? suppression : undefined
    if (suppresses) {
      const { accountId } = delivery.message
      set.push(
        ...suppressionWrites({ accountId, recipient: delivery.recipient, suppression: suppresses, at }),
      )
    }
    const failure = refusal(delivery, attempt, { cause, at, ...(suppresses && { suppression: suppresses }) })
    await conclude(delivery, notices.settle(failure, set), 'bounced')
  }

  async function deferred(
    delivery: ClaimedDelivery,
    attempt: AttemptReport,
    cause: Cause,
    also: { readonly inMs: number; readonly writes: readonly Write[] },
  ): Promise<boolean> {
    const at = now()
    const { inMs, writes } = also
    const reply = attempt.reply ?? null
    const set = [
      ...writes,
      ...deferDelivery(delivery, { inMs, reply, cause }),
      attemptEvent('deferred', delivery, attempt, at, { cause, retryAt: at + inMs }),
    ]
    const written = await conclude(delivery, store.commit(set), 'deferred')
    // Counted from after the commit, which is when the store began to count.
    queue.wake(now() + inMs)
    return written
  }

  async function retryLater(delivery: ClaimedDelivery, attempt: AttemptReport, cause: Cause): Promise<void> {
    const schedule = backoff(retryMs, delivery.attempts + 1, random())
    const inMs = Math.max(schedule, leastWait(retryMs, cause, attempt))
    await deferred(delivery, attempt, cause, { inMs, writes: [] })
  }

  async function unreachable(
    [oldest, ...others]: Lanemates,
    attempt: AttemptReport,
    cause: Cause,
  ): Promise<number> {
    const lane = laneOf(oldest)
    // A lane is forgotten while its last delivery is on its way; that one's attempts tell the same.
    const failures = Math.max(await laneFailures(store, lane), oldest.attempts)
    const inMs = backoff(retryMs, failures + 1, random())
    // The lane's own wait comes first in the set: `laneWaits` of the delivery then leaves it alone.
    const writes = [laneBacksOff(lane, inMs)]
    for (let first: ClaimedDelivery | undefined = oldest; first; first = others.shift()) {
      if (await deferred(first, attempt, cause, { inMs, writes })) break
    }
    await putBack(others, 0, { reply: attempt.reply ?? null, cause })
    return inMs
  }

  async function putBack(
    deliveries: readonly ClaimedDelivery[],
    inMs: number,
    reason?: ReturnReason,
  ): Promise<void> {
    const claims = deliveries.map((delivery) => ({ ...delivery, lane: laneOf(delivery) }))
    for (const id of await returnClaims(store, claims, { inMs, ...(reason && { reason }) }))
      queue.verdicts.announce(id, 'deferred')
  }

  return {
    delivered,
    refused: (delivery, attempt, classified) =>
      classified.permanent
        ? bounced(delivery, attempt, classified)
        : retryLater(delivery, attempt, classified.cause),
    unreachable,
    async recovered(lane) {
      await store.commit(laneRecovers(lane))
      queue.wake()
    },
    stumbled: (delivery) => retryLater(delivery, {}, 'other'),
    putBack: (deliveries, inMs = 0) => putBack(deliveries, inMs),
  }
}

/** What its sender is told of a delivery that was refused for good. */
function refusal(
  delivery: ClaimedDelivery,
  { reply, enhancedStatus, host, address }: AttemptReport,
  of: Pick<Failure, 'cause' | 'at' | 'suppression'>,
): Failure {
  const { message, recipient, content } = delivery
  return {
    deliveryId: delivery.id,
    message,
    recipient,
    end: 'refused',
    attempts: delivery.attempts + 1,
    ...of,
    ...(reply !== undefined && { reply }),
    ...(enhancedStatus !== undefined && { enhancedStatus }),
    ...(host !== undefined && { host }),
    ...(address !== undefined && { address }),
    ...(content && { content: Buffer.isBuffer(content) ? content : content.header }),
  }
}
