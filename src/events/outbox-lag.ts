import { type Store, statement } from '#store/store.ts'

/** What is in the outbox that nobody has taken out yet. */
export interface OutboxLag {
  /** About: on PostgreSQL numbers are left out. */
  readonly events: number
  /** How long ago the oldest of them happened; 0 where there is none. */
  readonly oldestMs: number
}

/** By the ends of an index, however much there is. `now` in milliseconds since 1970. */
export async function readOutboxLag(store: Store, now: number): Promise<OutboxLag> {
  const row = await store.get(ends, [])
  if (!row) return { events: 0, oldestMs: 0 }
  return { events: row.last - row.first + 1, oldestMs: Math.max(0, now - row.at) }
}

const ends = statement<{ readonly first: number; readonly last: number; readonly at: number }>(
  'event.outbox-ends',
  `select first.seq as first, first.at, (select max(seq) from event) as last
     from (select seq, at from event order by seq limit 1) as first`,
)
