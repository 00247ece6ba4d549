import { type Store, statement } from '#store/store.ts'
import { SWEPT_ROWS, sweepInTurns } from './sweep-in-turns.ts'

/** A value whose entry was not committed yet is younger than this. */
const ORPHAN_AGE_MS = 3_600_000
/** A write that began before its namespace went is over by then. */
const REST_MS = 60_000

const deleteExpired = statement<{ readonly size: number }>(
  'kv.sweep-expired',
  `delete from kv_entry where (namespace_id, key) in
     (select namespace_id, key from kv_entry where expires_at <= $1 order by expires_at limit ${SWEPT_ROWS})
   returning size`,
)
const removedNamespaces = statement<{ readonly id: string }>(
  'kv.sweep-namespaces',
  'select id from kv_namespace where deleted_at <= $1 order by deleted_at limit 10',
)
const deleteEntries = statement<{ readonly size: number }>(
  'kv.sweep-entries',
  `delete from kv_entry where namespace_id = $1 and key in
     (select key from kv_entry where namespace_id = $1 limit ${SWEPT_ROWS}) returning size`,
)
const deleteNamespace = statement(
  'kv.sweep-namespace',
  `delete from kv_namespace where id = $1 and deleted_at is not null
     and not exists (select 1 from kv_entry where namespace_id = $1)`,
)
// Found by a reader: the writer never waits for the walk.
const orphans = statement<{ readonly value_id: string }>(
  'kv.sweep-orphans',
  `select value_id from kv_chunk where seq = 0 and value_id < $1
     and not exists (select 1 from kv_entry where kv_entry.value_id = kv_chunk.value_id) limit 100`,
)
const deleteOrphan = statement('kv.sweep-orphan', 'delete from kv_chunk where value_id = $1')

export async function sweepKv(store: Store, now: number): Promise<void> {
  const emptied = sweepInTurns(store)
  await emptied({ statement: deleteExpired, params: [now] })
  for (const { id } of await store.all(removedNamespaces, [now - REST_MS])) {
    if (!(await emptied({ statement: deleteEntries, params: [id] }))) break
    await store.commit([{ statement: deleteNamespace, params: [id] }])
  }
  for (const { value_id: id } of await store.all(orphans, [idBefore(now - ORPHAN_AGE_MS)])) {
    await store.commit([{ statement: deleteOrphan, params: [id] }])
  }
}

/** Less than every id made from `at` on: ids begin with their time (RFC 9562 §5.7). */
function idBefore(at: number): string {
  return Math.max(0, at).toString(16).padStart(12, '0')
}
