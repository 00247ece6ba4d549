import { type Store, statement, type Write } from '#store/store.ts'
import { isFull } from './drop-oldest.ts'
import type { WebhookPlace } from './webhook.ts'

/** Which deliveries of a webhook are told once more. */
export interface ReplayRange {
  /** When the event happened: from here, to before there; milliseconds since 1970. */
  readonly since: number
  readonly before: number
  /** Also those that arrived. */
  readonly delivered: boolean
}

/** Rows of one commit: mail waits for it. */
const ROWS = 500
const MOST = 10_000

const AGAIN = `state = 'pending', attempts = 0, due_at = {now}, expires_at = {now} + cast($3 as bigint), settled_at = null`
const one = statement<{ readonly id: string }>(
  'webhook-delivery.replay',
  `update webhook_delivery set ${AGAIN} where webhook_id = $1 and id = $2 and account_id = $4 returning id`,
)
const IDS = {
  sqlite: 'in (select value from json_each($2))',
  postgres: '= any (array(select json_array_elements_text($2::json)))',
} as const
const several = statement<{ readonly id: string }>('webhook-delivery.replay-several', {
  sqlite: `update webhook_delivery set ${AGAIN} where webhook_id = $1 and id ${IDS.sqlite} and state <> 'pending' returning id`,
  postgres: `update webhook_delivery set ${AGAIN} where webhook_id = $1 and id ${IDS.postgres} and state <> 'pending' returning id`,
})
const inRange = statement<{ readonly id: string; readonly at: number; readonly seq: number }>(
  'webhook-delivery.replay-range',
  `select id, at, seq from webhook_delivery
   where webhook_id = $1 and account_id = $7 and at >= $2 and at < $3 and (at, seq) > ($4, $5)
     and (state in ('failed', 'expired') or (state = 'delivered' and $6 = 1))
   order by at, seq limit ${ROWS}`,
)
const hurry = statement<{ readonly id: string }>(
  'webhook-delivery.make-due',
  `update webhook_delivery set due_at = {now} where id in (select id from webhook_delivery
     where webhook_id = $1 and state = 'pending' and due_at > {now} limit ${ROWS}) returning id`,
)

/** Tells one event once more, whatever became of it; one that waits is due now. False for none of this webhook. */
export async function replayOne(
  store: Store,
  { accountId, webhookId }: WebhookPlace,
  { deliveryId, keepMs, record }: { deliveryId: string; keepMs: number; record: readonly Write[] },
): Promise<boolean> {
  const committed = await store.commit([
    { statement: one, params: [webhookId, deliveryId, keepMs, accountId], rows: 1 },
    ...record,
  ])
  return committed.ok
}

/** The same of many, those that happened first before the others. `record` is in the first commit. Out: how many, and
 *  whether there are more than one call takes, or than may wait now. */
export async function replayRange(
  store: Store,
  { accountId, webhookId }: WebhookPlace,
  {
    since,
    before,
    delivered,
    ...how
  }: ReplayRange & { keepMs: number; mostWaiting: number; record: readonly Write[] },
): Promise<{ readonly replayed: number; readonly more: boolean }> {
  // What would be more than may wait would be dropped, and with it its place in the log.
  if (await isFull(store, webhookId, how.mostWaiting - MOST)) return { replayed: 0, more: true }
  let replayed = 0
  let last = { at: 0, seq: 0 }
  let record = how.record
  for (;;) {
    const params = [webhookId, since, before, last.at, last.seq, delivered ? 1 : 0, accountId]
    const rows = await store.all(inRange, params)
    const ids = JSON.stringify(rows.map(({ id }) => id))
    const set = [{ statement: several, params: [webhookId, ids, how.keepMs] }, ...record]
    const committed = await store.commit(set)
    if (!committed.ok) throw new Error(`a replay conflicted in ${committed.conflict}`)
    replayed += committed.rows[0]?.length ?? 0
    record = []
    last = rows.at(-1) ?? last
    if (rows.length < ROWS) return { replayed, more: false }
    if (replayed >= MOST) return { replayed, more: true }
  }
}

/** What waits for another try is tried now. */
export async function makeDue(store: Store, webhookId: string): Promise<void> {
  for (let rows = ROWS; rows === ROWS; ) {
    const committed = await store.commit([{ statement: hurry, params: [webhookId] }])
    rows = committed.ok ? (committed.rows[0]?.length ?? 0) : 0
  }
}
