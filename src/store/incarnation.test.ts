import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import { DEAD_AFTER_MS, openIncarnation } from './incarnation.ts'
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
