import assert from 'node:assert/strict'
import { eventWrite } from '#events/events.ts'
import { openLog } from '#observe/log.ts'
import type { Store } from '#store/store.ts'
import { statement, type Write } from '#store/store.ts'
import { ACCOUNT, countRows, openOutbound, orderOf } from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'
import { openOperatorHands } from './operator-hands.ts'
import { openPauses } from './pauses.ts'
import { type Selection, selecting } from './selection.ts'

const log = openLog('silent')
const MANY = 100_000
/** A transition, its event and what settles it, for each of a batch of 200. */
const LARGEST_SET = 1000

/** A store that says how large the sets were. */
function watched(store: Store): { readonly store: Store; readonly sizes: number[] } {
  const sizes: number[] = []
  return {
    sizes,
    store: {
      engine: store.engine,
      commit(set: readonly Write[]) {
        sizes.push(set.length)
        return store.commit(set)
      },
      get: (query, params) => store.get(query, params),
      all: (query, params) => store.all(query, params),
      close: () => store.close(),
    },
  }
}

onBothEngines('the hands reach into a queue of 100,000 by small commits', async (_t, open) => {
  const { store, sizes } = watched(open.store)
  await using outbound = await openOutbound(open.store, open.directory)
  const order = orderOf(['first@d0.example'])
  await outbound.queue.promise(order)
  await open.store.commit([
    { statement: fillDeliveries, params: [order.message.id, MANY] },
    { statement: nameLanes, params: [] },
    { statement: countThem, params: [order.message.id, MANY + 1] },
  ])
  if (open.engine === 'sqlite') await checkPlans(open.store)
  const pauses = await openPauses({ store, log, now: Date.now })
  const hands = openOperatorHands({
    store,
    eventWrite,
    now: Date.now,
    log,
    queue: outbound.queue,
    pauses,
    bodyRetentionMs: 1000,
    settleEnded: (_ended, set) => store.commit(set),
  })
  try {
    const stats = await hands.stats()
    assert.equal(stats.totals.waiting, MANY + 1)
    assert.equal(stats.domains.length, 20)
    // Half of all is for one domain, the rest for a thousand others.
    const one = { recipientDomains: ['dead.example'] }
    assert.deepEqual(await hands.count(one), { waiting: MANY / 2, claimed: 0, held: 0 })
    assert.equal((await hands.list({ selection: one, limit: 100 })).length, 100)
    assert.equal((await hands.mail(ACCOUNT, { filter: {}, limit: 100 })).length, 100)
    assert.deepEqual(await hands.act('hold', one, 6000), { changed: 6000, more: true })
    assert.deepEqual(await hands.count(one), { waiting: MANY / 2 - 6000, claimed: 0, held: 6000 })
    assert.equal((await hands.act('release', { ...one, state: 'held' }, 2000)).changed, 2000)
    assert.equal((await hands.act('cancel', { state: 'held' }, 1000)).changed, 1000)
    assert.equal((await hands.act('hold', { recipientDomains: ['d7.example'] }, 6000)).changed, 50)
    const retried = await hands.act('retry', one, 1_000_000)
    assert.deepEqual(retried, { changed: MANY / 2 - 4000, more: false })
    assert.equal(await countRows(open.store, 'event'), 6000 + 2000 + 1000 + 50)
    assert.ok(Math.max(...sizes) <= LARGEST_SET, `a set of ${Math.max(...sizes)} writes`)
  } finally {
    await pauses.close()
  }
})

/** Neither the queue nor one domain's part of it is looked for row by row. */
async function checkPlans(store: Store): Promise<void> {
  const selections: readonly Selection[] = [
    {},
    { recipientDomains: ['dead.example'] },
    { accountId: ACCOUNT },
    { accountId: ACCOUNT, recipientDomains: ['dead.example'] },
    { ids: ['x'] },
  ]
  for (const selection of selections) {
    for (const state of ['waiting', 'held', 'claimed'] as const) {
      const { statement: query, params } = selecting(
        'test.plan',
        { selection, state },
        [1],
        (condition) => `explain query plan select d.id from delivery d where ${condition} limit $1`,
      )
      const steps = await store.all(statement<{ detail: string }>(query.name, query.sqlite), params)
      const plan = steps.map(({ detail }) => detail).join('\n')
      assert.doesNotMatch(plan, /SCAN d(?! USING)/, `${JSON.stringify(selection)} ${state}\n${plan}`)
      if (state === 'waiting' && (selection.accountId ?? selection.recipientDomains))
        assert.match(plan, /delivery_waiting \(account_id=\?/, plan)
    }
  }
}

const numbers = {
  sqlite: `(with recursive n(i) as (select 1 union all select i + 1 from n where i < $2) select i from n)`,
  postgres: `(select i from generate_series(1, $2::int) i) n`,
}
const fillMany = (from: string) =>
  `insert into delivery (id, message_id, account_id, recipient, recipient_domain, state, attempts, due_at, expires_at,
     created_at)
   select $1 || i, $1, '${ACCOUNT}', 'u' || i || '@x.example',
     case when i % 2 = 0 then 'dead.example' else 'd' || ((i / 2) % 1000) || '.example' end, 'waiting', 0,
     case when i % 4 = 0 then {now} + 3600000 else 1000 + i end, 9000000000000 + i, i from ${from}`
const fillDeliveries = statement('test.fill-100000', {
  sqlite: fillMany(numbers.sqlite),
  postgres: fillMany(numbers.postgres),
})
const nameLanes = statement(
  'test.name-lanes',
  `insert into lane (account_id, recipient_domain, due_at, failures)
   select account_id, recipient_domain, min(due_at), case when recipient_domain = 'dead.example' then 3 else 0 end
     from delivery where state = 'waiting' group by account_id, recipient_domain
   on conflict (account_id, recipient_domain) do nothing`,
)
const countThem = statement('test.count-them', 'update message set unsettled = $2 where id = $1')
