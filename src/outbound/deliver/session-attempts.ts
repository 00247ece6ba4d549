import type { Cause } from '#model/event.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import type { Classified } from '#outbound/outcome/classify.ts'
import type { Outcome } from '#outbound/outcome/outcome.ts'
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

const UNTRIED = { kind: 'postponed', report: {}, cause: 'other' } as const

interface Pending {
  readonly tell: (verdict: SessionVerdict) => void
  readonly promised: Promise<boolean>
  /** What its sender was answered; undefined while it waits. */
  concluded?: 'promised' | 'abandoned'
}

/** Puts attempts of a session before an outcome: what becomes of them is told to the session first, and recorded only if
 *  it was promised. Everything else goes on as it is. */
export function openSessionAttempts(outcome: Outcome): {
  readonly outcome: Outcome
  /** Where the delivery stands that nobody, or not everybody, has promised yet: `waits` while its sender does,
   *  `abandoned` where the sender was told to come again, so that it must not go out any more. Undefined: it is like any
   *  other. */
  readonly standing: (id: string) => 'waits' | 'abandoned' | undefined
  /** An abandoned one was let go without an attempt. */
  readonly forget: (id: string) => void
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
    const attempt: Pending = { tell, promised: promised.promise }
    pending.set(id, attempt)
    return {
      verdict: verdict.promise,
      conclude(isPromised) {
        attempt.concluded = isPromised ? 'promised' : 'abandoned'
        promised.resolve(isPromised)
      },
    }
  }

  /** Whether what became of it is to be recorded. */
  async function isRecorded({ id }: ClaimedDelivery, verdict: SessionVerdict): Promise<boolean> {
    const attempt = pending.get(id)
    attempt?.tell(verdict)
    return attempt === undefined || attempt.promised
  }

  /** Records it for those of them for which it is to be. What rejects is done again, for the same ones. */
  async function record<T>(
    deliveries: readonly ClaimedDelivery[],
    verdict: SessionVerdict,
    write: (kept: readonly ClaimedDelivery[]) => Promise<T>,
  ): Promise<T> {
    const asked = await Promise.all(deliveries.map((delivery) => isRecorded(delivery, verdict)))
    const written = await write(deliveries.filter((_, index) => asked[index]))
    for (const { id } of deliveries) pending.delete(id)
    return written
  }

  function recordOne(
    delivery: ClaimedDelivery,
    verdict: SessionVerdict,
    write: () => Promise<void>,
  ): Promise<void> {
    return record([delivery], verdict, async ([kept]) => kept && write())
  }

  return {
    begin,
    standing(id) {
      const attempt = pending.get(id)
      if (!attempt || attempt.concluded === 'promised') return undefined
      return attempt.concluded ?? 'waits'
    },
    forget: (id) => void pending.delete(id),
    outcome: {
      delivered: (delivery, report) =>
        recordOne(delivery, { kind: 'delivered', report }, () => outcome.delivered(delivery, report)),
      refused(delivery, report, classified) {
        const verdict: SessionVerdict = classified.permanent
          ? { kind: 'refused', report, classified }
          : { kind: 'postponed', report, cause: classified.cause }
        return recordOne(delivery, verdict, () => outcome.refused(delivery, report, classified))
      },
      unreachable: (deliveries, report, cause) =>
        record(deliveries, { kind: 'postponed', report, cause }, async ([first, ...others]) =>
          first ? outcome.unreachable([first, ...others], report, cause) : 0,
        ),
      recovered: (lane) => outcome.recovered(lane),
      stumbled: (delivery) => recordOne(delivery, UNTRIED, () => outcome.stumbled(delivery)),
      putBack: (deliveries, inMs) => record(deliveries, UNTRIED, (kept) => outcome.putBack(kept, inMs)),
    },
  }
}
