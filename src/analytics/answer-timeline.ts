import type { EventRow, TimelinePage } from '#events/events.ts'
import type { Asking } from './asking.ts'
import { dayOf, HOUR_MS, madeAt } from './day.ts'

/** A page of a message's timeline, of the days since it was made. */
export async function answerTimeline(
  { engine, index }: Pick<Asking, 'engine' | 'index'>,
  page: TimelinePage,
): Promise<EventRow[]> {
  const { accountId, messageId, deliveryId = null, after = 0, limit } = page
  const since = dayOf(Math.max(madeAt(messageId) - HOUR_MS, 0))
  const days = (await index.days()).filter((day) => day >= since)
  if (days.length === 0) return []
  const parts = days.map(
    (day) => `select * from (select seq, id, at, delivery_id, type, terminal, detail from history_event_${day}
      where account_id = $1 and message_id = $2 and seq > $4
        and (cast($3 as text) is null or delivery_id is null or delivery_id = $3)
      order by seq limit $5) d${day}`,
  )
  const sql = `select * from (${parts.join(' union all ')}) days order by seq limit $5`
  const rows = await engine.read('rows', sql, [accountId, messageId, deliveryId, after, limit])
  // The columns are those of the outbox.
  return rows as unknown as EventRow[]
}
