import type { Cause } from '#model/event.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import type { Classified } from '#outbound/outcome/classify.ts'
import type { Lanemates, Outcome } from '#outbound/outcome/outcome.ts'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'

/** What an attempt that nobody has promised anything about came to, while its sender waits in the session. */
export type SessionVerdict =
  | { readonly kind: 'delivered'; readonly report: AttemptReport }
  | { readonly kind: 'refused'; readonly report: AttemptReport; readonly classified: Classified }
  /** Not now: refused for now, no host to be reached, or no answer in time. */
  | { readonly kind: 'postponed'; readonly report: AttemptReport; readonly cause: Cause }

/** An attempt whose record depends on what its sender is told. */
export interface SessionAttempt {
  readonly verdict: Promise<SessionVerdict>
  /** To be called once, when the sender's answer is settled. `promised`: the delivery is in the store now, claimed under
   *  this attempt's token, and what the attempt comes to is recorded as that of any other. Otherwise nothing is. */
  conclude(promised: boolean): void
}

interface Pending {
  readonly tell: (verdict: SessionVerdict) => void
  readonly promised: Promise<boolean>
}

/** Puts attempts of a session before an outcome: what becomes of them is told to the session first, and recorded only if
 *  it was promised. Everything else goes on as it is. */
export function openSessionAttempts(outcome: Outcome): {
  readonly outcome: Outcome
  readonly has: (id: string) => boolean
  readonly begin: (id: string, withinMs: number) => SessionAttempt
} {
  const pending = new Map<string, Pending>()

  function begin(id: string, withinMs: number): SessionAttempt {
    const verdict = Promise.withResolvers<SessionVerdict>()
    const promised = Promise.withResolvers<boolean>()
    const late = {
      kind: 'postponed',
      report: { reply: 'no answer in time' },
      cause: 'connection-lost',
    } as const
    const timer = setTimeout(() => verdict.resolve(late), withinMs)
    const tell = (said: SessionVerdict) => {
      clearTimeout(timer)
      verdict.resolve(said)
    }
    pending.set(id, { tell, promised: promised.promise })
    return { verdict: verdict.promise, conclude: (isPromised) => promised.resolve(isPromised) }
  }

  /** Whether what became of it is to be recorded. */
  async function isRecorded({ id }: ClaimedDelivery, verdict: SessionVerdict): Promise<boolean> {
    const attempt = pending.get(id)
    if (!attempt) return true
    attempt.tell(verdict)
    const promised = await attempt.promised
    pending.delete(id)
    return promised
  }

  async function recorded(
    deliveries: readonly ClaimedDelivery[],
    verdict: SessionVerdict,
  ): Promise<ClaimedDelivery[]> {
    const asked = await Promise.all(deliveries.map((delivery) => isRecorded(delivery, verdict)))
    return deliveries.filter((_, index) => asked[index])
  }

  return {
    begin,
    has: (id) => pending.has(id),
    outcome: {
      async delivered(delivery, report) {
        if (await isRecorded(delivery, { kind: 'delivered', report }))
          await outcome.delivered(delivery, report)
      },
      async refused(delivery, report, classified) {
        const verdict: SessionVerdict = classified.permanent
          ? { kind: 'refused', report, classified }
          : { kind: 'postponed', report, cause: classified.cause }
        if (await isRecorded(delivery, verdict)) await outcome.refused(delivery, report, classified)
      },
      async unreachable(deliveries, report, cause) {
        const [first, ...others] = await recorded(deliveries, { kind: 'postponed', report, cause })
        const lanemates: Lanemates | undefined = first && [first, ...others]
        return lanemates ? outcome.unreachable(lanemates, report, cause) : 0
      },
      recovered: (lane) => outcome.recovered(lane),
      async stumbled(delivery) {
        const verdict = { kind: 'postponed', report: {}, cause: 'other' } as const
        if (await isRecorded(delivery, verdict)) await outcome.stumbled(delivery)
      },
      async putBack(deliveries, inMs) {
        const verdict = { kind: 'postponed', report: {}, cause: 'other' } as const
        await outcome.putBack(await recorded(deliveries, verdict), inMs)
      },
    },
  }
}
