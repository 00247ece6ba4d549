import type { Posted, PostFault } from './post-webhook.ts'
import { hasArrived } from './settle-attempt.ts'

/** Who counts what is told. Words are from closed lists. */
export interface NotifyWatch {
  /** Notifications that were tried: one of a webhook's, or those of a queue's batch. */
  readonly tried: (listener: Listener, outcome: TryOutcome, notifications: number) => void
  /** Notifications that nobody is told of any more, since too many waited. */
  readonly dropped: (notifications: number) => void
}

export type Listener = 'webhook' | 'queue'

/** `failed`: it was our own store that did not do it. */
export type TryOutcome = 'delivered' | '3xx' | '4xx' | '5xx' | 'other-status' | PostFault | 'failed'

export const NOBODY_WATCHES: NotifyWatch = { tried() {}, dropped() {} }

const REFUSALS = { 3: '3xx', 4: '4xx', 5: '5xx' } as const satisfies Readonly<Record<number, TryOutcome>>

export function outcomeOf(posted: Exclude<Posted, { readonly kind: 'aborted' }>): TryOutcome {
  if (posted.kind === 'failed') return posted.fault
  if (hasArrived(posted)) return 'delivered'
  const hundreds = Math.floor(posted.status / 100)
  return hundreds === 3 || hundreds === 4 || hundreds === 5 ? REFUSALS[hundreds] : 'other-status'
}
