import { type Store, statement } from '#store/store.ts'
import { WAITING_WEBHOOKS } from './waiting-sql.ts'

/** So many events may wait for one webhook, paused or not: about 150 MB, and nearly what ten a minute come to in the week
 *  that they may wait. */
export const MOST_WAITING = 100_000

/** Rows of one commit: mail waits for it. */
const ROWS = 500
/** Of one webhook and one call: the next goes on. */
const TURNS = 1000

const waiting = statement<{ readonly id: string }>(
  'webhook-delivery.waiting',
  `${WAITING_WEBHOOKS} select id from waiting where id is not null`,
)
const beyond = statement<{ readonly seq: number }>(
  'webhook-delivery.beyond',
  `select seq from webhook_delivery where webhook_id = $1 and state = 'pending' order by seq desc limit 1 offset $2`,
)
const oldest = statement<{ readonly id: string }>(
  'webhook-delivery.oldest',
  `select id from webhook_delivery where webhook_id = $1 and state = 'pending' and seq <= $2 order by seq limit ${ROWS}`,
)
const drop = statement('webhook-delivery.drop', {
  sqlite: `delete from webhook_delivery where webhook_id = $1 and state = 'pending'
    and id in (select value from json_each($2))`,
  postgres: `delete from webhook_delivery where webhook_id = $1 and state = 'pending'
    and id = any (array(select json_array_elements_text($2::json)))`,
})
const count = statement('webhook.count-dropped', 'update webhook set dropped = dropped + $2 where id = $1')

/** Whether as many wait for a webhook as may, or more. */
export async function isFull(store: Store, webhookId: string, most: number): Promise<boolean> {
  const [last] = await store.all(beyond, [webhookId, Math.max(most - 1, 0)])
  return last !== undefined
}

/** Drops what waits for a webhook beyond so many, the oldest first, and counts it there: who does not listen for long
 *  costs no more than so much. Out: how many were dropped. */
export async function dropOldest(store: Store, most: number): Promise<number> {
  let dropped = 0
  for (const { id } of await store.all(waiting, [])) {
    const [last] = await store.all(beyond, [id, most])
    if (last) dropped += await dropUpTo(store, id, last.seq)
  }
  return dropped
}

async function dropUpTo(store: Store, webhookId: string, seq: number): Promise<number> {
  let dropped = 0
  for (let turn = 0; turn < TURNS; turn++) {
    const rows = await store.all(oldest, [webhookId, seq])
    if (rows.length === 0) break
    const ids = JSON.stringify(rows.map(({ id }) => id))
    const committed = await store.commit([
      { statement: drop, params: [webhookId, ids], rows: rows.length },
      { statement: count, params: [webhookId, rows.length], rows: 1 },
    ])
    // Where not, some of them were settled meanwhile: it is looked at anew.
    if (committed.ok) dropped += rows.length
  }
  return dropped
}
