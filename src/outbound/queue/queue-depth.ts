import { type Store, statement } from '#store/store.ts'

/** How much is in the queue of all nodes. */
export interface QueueDepth {
  readonly waiting: number
  readonly claimed: number
  readonly held: number
  /** Lanes whose mail is due now, and those whose hosts did not answer. */
  readonly due: number
  readonly failing: number
  /** How long ago what expires first was promised; 0 where there is nothing. */
  readonly oldestMs: number
}

const NOTHING: QueueDepth = { waiting: 0, claimed: 0, held: 0, due: 0, failing: 0, oldestMs: 0 }

/** Counted along indexes that hold all that is counted, but in a scan none the less: not for the hot path. */
export async function readQueueDepth(store: Store): Promise<QueueDepth> {
  const [row] = await store.all(depth, [])
  return row ? { ...row, oldestMs: Math.max(0, row.oldestMs ?? 0) } : NOTHING
}

const count = (state: string) => `(select count(*) from delivery where state = '${state}') as ${state}`
const depth = statement<Omit<QueueDepth, 'oldestMs'> & { readonly oldestMs: number | null }>(
  'queue.depth',
  `select ${count('waiting')}, ${count('claimed')}, ${count('held')},
     (select count(*) from lane where due_at <= {now}) as due,
     (select count(*) from lane where failures > 0) as failing,
     (select {now} - created_at from delivery where state in ('waiting', 'claimed', 'held')
       order by expires_at limit 1) as "oldestMs"`,
)
