import { type Store, statement, type Write } from '#store/store.ts'
import type { Lane } from './lane.ts'
import type { Moved } from './move-selected.ts'
import { type Selection, selecting } from './selection.ts'

export interface Retried extends Moved {
  /** Whose turn has come. */
  readonly lanes: readonly Lane[]
}

const LANES_AT_ONCE = 1000
const COMMITS_AT_ONCE = 16
/** Deliveries of one commit. */
const HURRY_AT_ONCE = 500

/** Makes what waits due now, and its lanes with it, however often their hosts did not answer. It asks for an attempt and
 *  is none, so no event tells of it. Lanes whose turn has come already are passed over. */
export async function retryNow(store: Store, selection: Selection, most: number): Promise<Retried> {
  const lanes: Lane[] = []
  let changed = 0
  if (selection.state !== undefined && selection.state !== 'waiting') return { changed, more: false, lanes }
  let last: SleepingLane | undefined
  for (;;) {
    const sleeping: SleepingLane[] = await sleepingLanes(store, selection, last)
    for (let from = 0; from < sleeping.length; from += COMMITS_AT_ONCE) {
      if (changed >= most) return { changed, more: true, lanes }
      const some = sleeping.slice(from, from + COMMITS_AT_ONCE)
      await Promise.all(some.map((lane) => hurryLane(store, selection, lane)))
      for (const { account_id, recipient_domain, n } of some) {
        changed += n
        lanes.push({ accountId: account_id, recipientDomain: recipient_domain })
      }
    }
    last = sleeping.at(-1)
    if (sleeping.length < LANES_AT_ONCE) return { changed, more: false, lanes }
  }
}

interface SleepingLane {
  readonly account_id: string
  readonly recipient_domain: string
  /** Selected deliveries that wait in it. */
  readonly n: number
}

async function sleepingLanes(
  store: Store,
  selection: Selection,
  after: SleepingLane | undefined,
): Promise<SleepingLane[]> {
  const { statement, params } = selecting<SleepingLane>(
    'queue.sleeping-lanes',
    { selection, state: 'waiting' },
    [after?.account_id ?? '', after?.recipient_domain ?? '', LANES_AT_ONCE],
    (condition) =>
      `select d.account_id, d.recipient_domain, count(*) as n from delivery d
         left join lane l on l.account_id = d.account_id and l.recipient_domain = d.recipient_domain
       where ${condition} and (d.account_id, d.recipient_domain) > ($1, $2)
       group by d.account_id, d.recipient_domain
       having max(case when d.due_at > {now} or l.failures > 0 or l.due_at > {now} then 1 else 0 end) = 1
       order by d.account_id, d.recipient_domain limit $3`,
  )
  return store.all(statement, params)
}

/** In commits of a bounded size, each of which leaves the lane due with what it made due. */
async function hurryLane(store: Store, selection: Selection, lane: SleepingLane): Promise<void> {
  const key = { accountId: lane.account_id, recipientDomain: lane.recipient_domain }
  for (;;) {
    const result = await store.commit([hurry(selection, lane), laneDueNow(key)])
    if (!result.ok) throw new Error(`a retry conflicted in ${result.conflict}`)
    if ((result.rows[0]?.length ?? 0) < HURRY_AT_ONCE) return
  }
}

function hurry(selection: Selection, lane: SleepingLane): Write {
  const own = [lane.account_id, lane.recipient_domain, HURRY_AT_ONCE]
  // The lane is one of the selection already.
  const { ids, olderThan } = selection
  const rest = { ...(ids && { ids }), ...(olderThan !== undefined && { olderThan }) }
  return selecting<{ id: string }>(
    'queue.hurry',
    { selection: rest, state: 'waiting' },
    own,
    (condition) =>
      `update delivery set due_at = {now} where state = 'waiting' and id in (
         select d.id from delivery d
          where d.account_id = $1 and d.recipient_domain = $2 and d.due_at > {now} and ${condition} limit $3)
       returning id`,
  )
}

/** Whatever waits in this lane may be tried now, and is not probed first. */
function laneDueNow(lane: Lane): Write {
  return { statement: dueNow, params: [lane.accountId, lane.recipientDomain], rows: 1 }
}

const dueNow = statement(
  'queue.lane-due-now',
  `insert into lane (account_id, recipient_domain, due_at, failures) values ($1, $2, {now}, 0)
   on conflict (account_id, recipient_domain) do update set due_at = excluded.due_at, failures = 0`,
)
