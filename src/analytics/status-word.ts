import type { EventType } from '#model/event.ts'
import type { Dataset } from './history-query.ts'

/** What each thing that can happen is called in the log and in the GraphQL datasets (observability-logs.md). '' is a
 *  step on the way, which has no word and counts nowhere: a message that was put off three times was sent once. */
export const STATUS_WORD = {
  sending: {
    accepted: 'sent',
    deferred: '',
    held: '',
    released: '',
    delivered: 'delivered',
    bounced: 'deliveryFailed',
    failed: 'failed',
    rejected: 'rejected',
    // An operator took it out of the queue.
    dropped: 'failed',
    handled: '',
    complained: '',
  },
  routing: {
    // A forward that its destination put off: what becomes of it has a word.
    accepted: '',
    deferred: '',
    held: '',
    released: '',
    delivered: 'forwarded',
    bounced: 'deliveryFailed',
    failed: 'error',
    rejected: 'rejected',
    dropped: 'dropped',
    handled: 'handled',
    complained: '',
  },
} as const satisfies Record<Dataset, Record<EventType, string>>

/** `attempted`: a delivery to a destination failed, and not the routing before it. */
export function statusWord(dataset: Dataset, type: EventType, attempted: boolean): string {
  if (dataset === 'routing' && type === 'failed' && attempted) return 'deliveryFailed'
  // A newer node may have written what this one does not know.
  const word: string | undefined = STATUS_WORD[dataset][type]
  return word ?? ''
}
