import { type Store, statement } from '#store/store.ts'

/** Rows of one commit: mail waits for it. */
const ROWS = 500
/** Of one sweep and one kind: the next goes on. */
const TURNS = 40
/** An attempt that began before its webhook went is over by then. */
const REST_MS = 60_000

const expire = statement<{ readonly id: string }>(
  'webhook-delivery.expire',
  `update webhook_delivery set state = 'expired', settled_at = {now} where id in (select id from webhook_delivery
     where state = 'pending' and expires_at <= {now} order by expires_at limit ${ROWS}) and state = 'pending' returning id`,
)
const forget = statement<{ readonly id: string }>(
  'webhook-delivery.forget',
  `delete from webhook_delivery where id in (select id from webhook_delivery
     where settled_at is not null and settled_at <= {now} - cast($1 as bigint) order by settled_at limit ${ROWS}) returning id`,
)
const removed = statement<{ readonly id: string }>(
  'webhook.removed',
  'select id from webhook where deleted_at is not null and deleted_at <= $1 order by deleted_at limit 10',
)
const empty = statement<{ readonly id: string }>(
  'webhook-delivery.empty',
  `delete from webhook_delivery where id in (select id from webhook_delivery where webhook_id = $1 limit ${ROWS}) returning id`,
)
const remove = statement(
  'webhook.sweep',
  `delete from webhook where id = $1 and deleted_at is not null
     and not exists (select 1 from webhook_delivery where webhook_id = $1)`,
)

/** Ends what waited for too long, and deletes what is too old for the log and what is left of webhooks that are gone; some
 *  of it, often enough called. */
export async function sweepDeliveries(
  store: Store,
  { keepMs, now }: { readonly keepMs: number; readonly now: number },
): Promise<void> {
  /** Whether nothing is left of it. */
  async function through(write: Parameters<Store['commit']>[0][number]): Promise<boolean> {
    for (let turn = 0; turn < TURNS; turn++) {
      const committed = await store.commit([write])
      if (!committed.ok || (committed.rows[0]?.length ?? 0) < ROWS) return true
    }
    return false
  }
  await through({ statement: expire, params: [] })
  await through({ statement: forget, params: [keepMs] })
  for (const { id } of await store.all(removed, [now - REST_MS])) {
    if (await through({ statement: empty, params: [id] })) {
      await store.commit([{ statement: remove, params: [id] }])
    }
  }
}
