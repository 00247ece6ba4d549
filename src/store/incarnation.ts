import { newId } from './id.ts'
import { type Store, statement } from './store.ts'

/** This process as the owner of its claims. Its heartbeat, by the database's own clock, tells other nodes that it
 *  lives; one that has missed it for DEAD_AFTER_MS is dead and its claims are anybody's (promise 3). */
export interface Incarnation {
  readonly id: string
  /** How many nodes live, this one included, as of the last heartbeat: limits are shared out among them. */
  readonly nodes: () => number
  /** A heartbeat now. Rejects where the store takes no writes. */
  readonly beat: () => Promise<void>
  /** Ends the heartbeat and takes the node out, so that what it still had claimed is free at once. */
  close(): Promise<void>
}

/** A node lives while `heartbeat_at > {now} - DEAD_AFTER_MS`; one without a row does not. */
export const DEAD_AFTER_MS = 15_000
const HEARTBEAT_MS = 5000

export async function openIncarnation(store: Store, heartbeatMs = HEARTBEAT_MS): Promise<Incarnation> {
  const id = newId()
  await store.commit([
    { statement: forgetDead, params: [] },
    { statement: beat, params: [id], rows: 1 },
  ])
  // A beat that fails is made up for by the next; where none gets through, others are right to take this node for dead.
  const heart = () => void beatAndCount().catch(() => undefined)
  let nodes = 1
  async function beatAndCount(): Promise<void> {
    await store.commit([{ statement: beat, params: [id], rows: 1 }])
    nodes = Math.max(1, (await store.get(alive, []))?.nodes ?? 1)
  }
  if (store.engine === 'postgres') await beatAndCount()
  const timer = store.engine === 'postgres' ? setInterval(heart, heartbeatMs) : undefined
  return {
    id,
    nodes: () => nodes,
    beat: beatAndCount,
    async close() {
      clearInterval(timer)
      await store.commit([{ statement: forget, params: [id] }])
    },
  }
}

// One process owns a SQLite folder: whoever was there before is dead.
const forgetDead = statement('node.forget-dead', {
  sqlite: 'delete from node',
  postgres: `delete from node where heartbeat_at <= {now} - ${DEAD_AFTER_MS}`,
})

// A node that was taken for dead and comes back registers anew: its old claims were given away by their tokens.
const beat = statement(
  'node.beat',
  `insert into node (id, started_at, heartbeat_at) values ($1, {now}, {now})
   on conflict (id) do update set heartbeat_at = excluded.heartbeat_at`,
)
const alive = statement<{ nodes: number }>(
  'node.alive',
  `select cast(count(*) as integer) as nodes from node where heartbeat_at > {now} - ${DEAD_AFTER_MS}`,
)
const forget = statement('node.forget', 'delete from node where id = $1')
