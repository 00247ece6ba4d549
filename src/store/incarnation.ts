import { newId } from './id.ts'
import { type Store, statement } from './store.ts'

/** This process as the owner of its claims. Its heartbeat, by the database's own clock, tells other nodes that it
 *  lives; one that has missed it for 15 s is dead and its claims are anybody's (promise 3). */
export interface Incarnation {
  readonly id: string
  /** Ends the heartbeat and takes the node out, so that what it still had claimed is free at once. */
  close(): Promise<void>
}

const HEARTBEAT_MS = 5000

export async function openIncarnation(store: Store): Promise<Incarnation> {
  const id = newId()
  // One process owns a SQLite folder: whoever was there before is dead.
  if (store.engine === 'sqlite') await store.commit([{ statement: forgetAll, params: [] }])
  await store.commit([{ statement: register, params: [id], rows: 1 }])
  const beat = () => void store.commit([{ statement: heartbeat, params: [id] }]).catch(() => undefined)
  const timer = store.engine === 'postgres' ? setInterval(beat, HEARTBEAT_MS) : undefined
  return {
    id,
    async close() {
      clearInterval(timer)
      await store.commit([{ statement: forget, params: [id] }])
    },
  }
}

const forgetAll = statement('node.forget-all', 'delete from node')
const register = statement('node.register', 'insert into node (id, started_at, heartbeat_at) values ($1, {now}, {now})')
// A node that was taken for dead and comes back registers anew.
const heartbeat = statement(
  'node.heartbeat',
  `insert into node (id, started_at, heartbeat_at) values ($1, {now}, {now})
   on conflict (id) do update set heartbeat_at = {now}`,
)
const forget = statement('node.forget', 'delete from node where id = $1')
