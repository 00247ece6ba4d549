import { type Store, statement } from '#store/store.ts'

export interface LaneRow {
  readonly account_id: string
  readonly recipient_domain: string
  readonly due_at: number
  readonly failures: number
}

/** Lanes with something due, those that wait longest first, continuing behind `after`. */
export async function dueLanes(store: Store, after: LaneRow | undefined, limit: number): Promise<LaneRow[]> {
  return store.all(due, [after?.due_at ?? 0, after?.account_id ?? '', after?.recipient_domain ?? '', limit])
}

const due = statement<LaneRow>(
  'queue.lanes-due',
  `select account_id, recipient_domain, due_at, failures from lane
    where due_at <= {now} and due_at >= $1 and (due_at, account_id, recipient_domain) > ($1, $2, $3)
    order by due_at, account_id, recipient_domain limit $4`,
)

/** Makes due what lies further ahead than any honest wait: it was written before the clock stepped back (promise 3). */
export async function pullLanes(store: Store, longestWaitMs: number): Promise<void> {
  if ((await store.get(anyAhead, [longestWaitMs])) === undefined) return
  await store.commit([{ statement: pull, params: [longestWaitMs] }])
}

const anyAhead = statement<{ due_at: number }>(
  'queue.lane-ahead',
  'select due_at from lane where due_at > {now} + $1 limit 1',
)
const pull = statement('queue.lanes-pull', 'update lane set due_at = {now} where due_at > {now} + $1')
