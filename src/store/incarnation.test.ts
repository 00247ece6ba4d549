import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import { DEAD_AFTER_MS, type Incarnation, openIncarnation } from './incarnation.ts'
import { statement } from './store.ts'

const list = statement<{ id: string }>('node.list', 'select id from node order by started_at, id')
const alive = statement<{ id: string }>(
  'node.alive',
  `select id from node where heartbeat_at > {now} - ${DEAD_AFTER_MS}`,
)
const age = statement('node.age', 'update node set heartbeat_at = heartbeat_at - $2 where id = $1')

onBothEngines('a process is a node from its start to its end', async (_, { store }) => {
  const incarnation = await openIncarnation(store)
  assert.match(incarnation.id, /^[0-9a-f]{32}$/)
  assert.deepEqual(await store.all(alive, []), [{ id: incarnation.id }])
  await incarnation.close()
  assert.deepEqual(await store.all(list, []), [])
})

test('on SQLite a start takes the place of whoever was there before', async () => {
  await using open = await openTestStore('sqlite')
  await openIncarnation(open.store)
  const second = await openIncarnation(await open.reopen())
  assert.deepEqual(await open.store.all(list, []), [{ id: second.id }])
})

test('on PostgreSQL a node without a heartbeat for 15 s is dead, one with it lives, and a start removes the dead', async () => {
  await using open = await openTestStore('postgres')
  const { store } = open
  const [beating, silent] = [await openIncarnation(store, 20), await openIncarnation(store, 1_000_000)]
  for (const { id } of [beating, silent]) {
    await store.commit([{ statement: age, params: [id, DEAD_AFTER_MS + 1000], rows: 1 }])
  }
  for (;;) {
    const living = await store.all(alive, [])
    assert.ok(!living.some(({ id }) => id === silent.id))
    if (living.some(({ id }) => id === beating.id)) break
  }
  const third = await openIncarnation(store)
  const ids = (await store.all(list, [])).map(({ id }) => id)
  assert.deepEqual(new Set(ids), new Set([beating.id, third.id]))
  for (const incarnation of [beating, silent, third]) await incarnation.close()
})

onBothEngines('promise 4: each node knows among how many a limit is shared', async (_, { store }) => {
  await using first = disposable(await openIncarnation(store, 20))
  assert.equal(first.nodes(), 1)
  if (store.engine === 'sqlite') return
  const second = await openIncarnation(store, 20)
  const deadline = Date.now() + 5000
  while (first.nodes() !== 2 && Date.now() < deadline) await sleep(10)
  assert.deepEqual([first.nodes(), second.nodes()], [2, 2])
  await second.close()
  while (first.nodes() !== 1 && Date.now() < deadline) await sleep(10)
  assert.equal(first.nodes(), 1)
})

function disposable(incarnation: Incarnation): Incarnation & AsyncDisposable {
  return { ...incarnation, [Symbol.asyncDispose]: () => incarnation.close() }
}
