import { type Store, statement } from '#store/store.ts'

export interface LaneRow {
  readonly account_id: string
  readonly recipient_domain: string
  readonly due_at: number
  readonly failures: number
}

/** Lanes with something due, those that wait longest first, continuing behind `after`. Those of paused domains are
 *  passed over, so that they hide nothing behind them. */
export async function dueLanes(
  store: Store,
  after: LaneRow | undefined,
  limit: number,
  pausedDomains: readonly string[] = [],
): Promise<LaneRow[]> {
  return store.all(due, [
    after?.due_at ?? 0,
    after?.account_id ?? '',
    after?.recipient_domain ?? '',
    limit,
    JSON.stringify(pausedDomains),
  ])
}

const dueBut = (paused: string) =>
  `select account_id, recipient_domain, due_at, failures from lane
    where due_at <= {now} and due_at >= $1 and (due_at, account_id, recipient_domain) > ($1, $2, $3) and ${paused}
    order by due_at, account_id, recipient_domain limit $4`
const due = statement<LaneRow>('queue.lanes-due', {
  sqlite: dueBut('recipient_domain not in (select value from json_each($5))'),
  postgres: dueBut('recipient_domain <> all (array(select json_array_elements_text($5::json)))'),
})

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
