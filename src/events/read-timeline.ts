import type { Store } from '#store/store.ts'
import { type EventRow, type TimelinePage, timelinePage } from './events.ts'

/** Where events are after the outbox. */
export interface EventArchive {
  timeline(page: TimelinePage): Promise<EventRow[]>
}

/** A page of a timeline from the outbox and history together. In this order: an event leaves the outbox after history
 *  has it, so whoever looks there first misses none, and may see one twice. */
export async function readTimeline(
  { store, history }: { readonly store: Store; readonly history: EventArchive },
  page: TimelinePage,
): Promise<EventRow[]> {
  const waiting = await timelinePage(store, page)
  const archived = await history.timeline(page)
  const byId = new Map([...archived, ...waiting].map((row) => [row.id, row]))
  return [...byId.values()].sort((one, other) => one.seq - other.seq).slice(0, page.limit)
}
