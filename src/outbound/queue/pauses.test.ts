import assert from 'node:assert/strict'
import { openLog } from '#observe/log.ts'
import { statement } from '#store/store.ts'
import { checkInvariants, deliveriesIn, HandEngine, openOutbound, orderOf, until } from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'
import { dueLanes } from './due-lanes.ts'
import { openPauses } from './pauses.ts'

const log = openLog('silent')

onBothEngines('a pause holds at once where it was made, and soon elsewhere', async (_t, { store }) => {
  const here = await openPauses({ store, log, now: Date.now })
  const there = await openPauses({ store, log, now: Date.now })
  let resumed = 0
  here.onResume(() => resumed++)
  await here.pause('domain', 'one.example', 'their disk is full')
  assert.equal(here.domain('one.example'), true)
  assert.equal(here.host('one.example'), false, 'a domain is no host')
  await until('the other knows', () => there.domain('one.example'))
  await there.pause('host', 'mx.two.example', 'maintenance', Date.now() + 60_000)
  assert.equal(there.host('mx.two.example'), true)
  await until('the first knows', () => here.host('mx.two.example'))
  assert.deepEqual(
    here.list().map(({ kind, name, reason }) => [kind, name, reason]),
    [
      ['domain', 'one.example', 'their disk is full'],
      ['host', 'mx.two.example', 'maintenance'],
    ],
  )
  assert.equal(await here.resume('domain', 'one.example'), true)
  assert.equal(here.domain('one.example'), false)
  assert.equal(resumed, 1)
  await until('the other knows that too', () => !there.domain('one.example'))
  assert.equal(await here.resume('domain', 'one.example'), false)
  await here.close()
  await there.close()
  const after = await openPauses({ store, log, now: Date.now })
  assert.equal(after.host('mx.two.example'), true, 'pauses are rows')
  await after.close()
})

onBothEngines('a pause that is over does not count, and a new one replaces it', async (_t, { store }) => {
  let now = 1_000_000
  const pauses = await openPauses({ store, log, now: () => now })
  await pauses.pause('domain', 'one.example', 'first', now + 1000)
  assert.equal(pauses.domain('one.example'), true)
  now += 1000
  assert.equal(pauses.domain('one.example'), false)
  assert.deepEqual(pauses.list(), [])
  await pauses.pause('domain', 'one.example', 'second')
  await pauses.pause('domain', 'one.example', 'third')
  assert.deepEqual(
    pauses.list().map(({ reason, until }) => [reason, until]),
    [['third', null]],
  )
  await pauses.close()
})

onBothEngines('mail for a paused domain is born waiting, and goes when it is resumed', async (_t, open) => {
  const { store } = open
  const engine = new HandEngine()
  const pauses = await openPauses({ store, log, now: Date.now })
  await using outbound = await openOutbound(store, open.directory, { engine, pauses })
  await pauses.pause('domain', 'one.example', 'test')
  const order = orderOf(['a@one.example', 'b@two.example'])
  const id = order.recipients[0]?.deliveryId ?? ''
  const verdicts = outbound.queue.verdicts.first([id], 60_000)
  await outbound.queue.promise(order)
  assert.equal((await verdicts).get(id), 'deferred', 'nobody waits for what does not move')
  assert.deepEqual(
    engine.taken.map(({ recipient }) => recipient),
    ['b@two.example'],
  )
  // A poll meanwhile takes nothing of it.
  assert.equal((await dueLanes(store, undefined, 9)).length, 1)
  assert.deepEqual(await dueLanes(store, undefined, 9, ['one.example']), [])
  await checkInvariants(store)
  await pauses.resume('domain', 'one.example')
  await until('it is taken', () => engine.taken.length === 2)
  await pauses.close()
})

onBothEngines('lanes of paused domains hide none behind them', async (_t, open) => {
  const { store } = open
  const engine = new HandEngine()
  const pauses = await openPauses({ store, log, now: Date.now })
  await using outbound = await openOutbound(store, open.directory, { pauses })
  await outbound.send(['last@live.example'])
  await store.commit([
    { statement: fillLanes, params: [600] },
    { statement: makeLast, params: [] },
  ])
  await pauses.pause('domain', 'paused.example', 'test')
  const page = await dueLanes(store, undefined, 1, ['paused.example'])
  assert.deepEqual(
    page.map(({ recipient_domain }) => recipient_domain),
    ['live.example'],
  )
  outbound.queue.attach(engine)
  await until('the live one is taken', () => engine.taken.length === 1)
  assert.ok((await deliveriesIn(store)).every(({ state }) => state === 'claimed'))
  await pauses.close()
})

const numbers = {
  sqlite: `(with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select i from n)`,
  postgres: `(select i from generate_series(1, $1::int) i) n`,
}
const fill = (from: string) =>
  `insert into lane (account_id, recipient_domain, due_at, failures)
   select 'account' || i, 'paused.example', 1000 + i, 0 from ${from}`
const fillLanes = statement('test.fill-paused-lanes', {
  sqlite: fill(numbers.sqlite),
  postgres: fill(numbers.postgres),
})
const makeLast = statement(
  'test.make-last',
  `update lane set due_at = {now} where recipient_domain = 'live.example'`,
)
