import { DEAD_AFTER_MS } from '#store/incarnation.ts'
import { type Store, statement } from '#store/store.ts'

/** Gives back what dead processes had claimed: on SQLite every claim that is not ours, since one process owns the
 *  data; on PostgreSQL those of nodes that are dead by the database's clock (promise 3). */
export async function reclaimDead(store: Store, node: string): Promise<void> {
  if ((await store.get(anyDead, [node])) === undefined) return
  await store.commit([
    { statement: giveBack, params: [node] },
    { statement: nameLanes, params: [] },
  ])
}

const dead = {
  sqlite: 'claim_node <> $1',
  postgres: `claim_node <> $1 and not exists (select 1 from node n
    where n.id = delivery.claim_node and n.heartbeat_at > {now} - ${DEAD_AFTER_MS})`,
}
const anyDead = statement<{ id: string }>('queue.any-dead', {
  sqlite: `select id from delivery where state = 'claimed' and ${dead.sqlite} limit 1`,
  postgres: `select id from delivery where state = 'claimed' and ${dead.postgres} limit 1`,
})
const give = (condition: string) =>
  `update delivery set state = 'waiting', claim_node = null, claim_token = null
    where state = 'claimed' and ${condition}`
const giveBack = statement('queue.give-back', { sqlite: give(dead.sqlite), postgres: give(dead.postgres) })

/** Every lane with something waiting and no row gets one; one that is backing off keeps its time. */
const nameLanes = statement(
  'queue.name-lanes',
  `insert into lane (account_id, recipient_domain, due_at, failures)
   select account_id, recipient_domain, min(due_at), 0 from delivery where state = 'waiting'
    group by account_id, recipient_domain order by account_id, recipient_domain
   on conflict (account_id, recipient_domain) do update set due_at =
     case when lane.due_at < excluded.due_at or lane.failures > 0 then lane.due_at else excluded.due_at end`,
)
