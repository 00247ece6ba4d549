import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EventRow } from '#events/events.ts'

export interface StoredEvent extends EventRow {
  readonly message_id: string | null
}

/** Every event that an instance on SQLite has written down, in order, whether it is still in the outbox or in history
 *  already. */
export function storedEvents(dataFolder: string): readonly StoredEvent[] {
  const columns = 'seq, id, at, delivery_id, type, terminal, detail, message_id'
  // In this order: an event leaves the one after it came into the other.
  const waiting = read(join(dataFolder, 'posthorn.sqlite'), () => [`select ${columns} from event`])
  const archived = read(join(dataFolder, 'history', 'posthorn.sqlite'), (database) =>
    database
      .prepare('select day from history_day')
      .all()
      .map(({ day }) => `select ${columns} from history_event_${Number(day)}`),
  )
  const byId = new Map([...archived, ...waiting].map((row) => [row.id, row]))
  return [...byId.values()].sort((one, other) => one.seq - other.seq)
}

function read(file: string, queries: (database: DatabaseSync) => readonly string[]): StoredEvent[] {
  if (!existsSync(file)) return []
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  return queries(database).flatMap((sql) => database.prepare(sql).all() as unknown as StoredEvent[])
}
