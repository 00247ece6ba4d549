import type { EventRow, TimelinePage } from '#events/events.ts'
import type { EventDetail } from '#model/event.ts'

/** Events of a delivery: more than it has before it is delivered. */
const LIMIT = 200

/** The host that took a delivery in, as its timeline tells: undefined where that is gone. */
export async function takenBy(
  readTimeline: (page: TimelinePage) => Promise<readonly EventRow[]>,
  of: { readonly accountId: string; readonly messageId: string; readonly deliveryId: string },
): Promise<string | undefined> {
  const events = await readTimeline({ ...of, limit: LIMIT })
  const delivered = events.findLast(({ type }) => type === 'delivered')
  // The events room wrote it as such.
  return delivered && (JSON.parse(delivered.detail) as EventDetail).host
}
