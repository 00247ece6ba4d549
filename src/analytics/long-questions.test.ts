import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import pino from 'pino'
import { eventWrite } from '#events/events.ts'
import { newId } from '#store/id.ts'
import * as model from '#test/history-model.ts'
import { historyWorld, makeDomain, rowsOf } from '#test/history-world.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import { openHistory } from './history.ts'
import type { EventPosition, EventsQuery, Filter, HistoryEvent } from './history-query.ts'
import type { OutboxEvent } from './outbox-event.ts'
import { openPostgresHistory } from './postgres-history.ts'

const START = Date.UTC(2026, 9, 4)
const NOW = START + 5 * 86_400_000
const SEED = 7

type World = Awaited<ReturnType<typeof historyWorld>>

/** Mail of three days in two zones; out: the account. */
async function happen({ store, projector }: World): Promise<string> {
  const one = await makeDomain(store, { name: 'one.example', check: [] })
  const two = await makeDomain(store, { name: 'two.example', accountId: one.accountId, check: [] })
  const messages = fc.sample(model.message, { numRuns: 60, seed: SEED })
  const { events } = model.happenings(messages, [one, two], START)
  await store.commit(events.map(eventWrite))
  await projector.caughtUp()
  return one.accountId
}

const FILTERS: readonly Filter[] = [
  { and: [] },
  { field: 'subject', is: 'contains', text: 'hello' },
  { field: 'status', is: 'eq', value: 'deliveryFailed' },
  {
    and: [
      { field: 'ruleMatched', is: 'eq', value: 'r1' },
      { field: 'spf', is: 'eq', value: 'pass' },
    ],
  },
  {
    or: [
      { field: 'to', is: 'contains', text: 'x.' },
      { field: 'dmarc', is: 'eq', value: 'fail' },
    ],
  },
  { field: 'subject', is: 'contains', text: 'nowhere' },
]

onBothEngines('a search that is ended for its time goes on where it was', async (_t, open) => {
  let [now, step] = [0, 0]
  const clock = () => {
    now += step
    return now
  }
  await using world = await historyWorld(open, { now: () => NOW, clock })
  const scope = { accountId: await happen(world) }
  for (const filter of FILTERS) {
    for (const direction of ['desc', 'asc'] as const) {
      const query = { scope, filter, order: [{ by: 'datetime', direction }] } as const
      step = 0
      const whole = rowsOf(await world.history.events({ ...query, limit: 10_000 }))
      // Half of five seconds is over with the first day.
      step = 600
      const { rows, ended } = await walk(world, { ...query, limit: 4, partly: true })
      assert.deepEqual(rows, whole, JSON.stringify(query))
      if (whole.length === 0) assert.ok(ended > 1)
    }
  }
})

async function walk({ history }: World, query: EventsQuery) {
  const rows: HistoryEvent[] = []
  let ended = 0
  for (let after: EventPosition | undefined; ; ) {
    const page = await history.events({ ...query, ...(after && { after }) })
    assert.equal(page.kind, 'answer')
    if (page.kind !== 'answer') break
    rows.push(...page.rows)
    if (page.reached) ended += 1
    after = page.reached ?? page.rows.at(-1)
    if (!page.reached && page.rows.length < query.limit) break
  }
  return { rows, ended }
}

onBothEngines(
  'too many questions of one account are busy, and those of another are not',
  async (_t, open) => {
    await using world = await historyWorld(open, { now: () => NOW })
    const accountId = await happen(world)
    const other = await makeDomain(world.store, { name: 'other.example' })
    const ask = (scope: { readonly accountId: string }) => world.history.events({ scope, limit: 5 })
    const answers = Array.from({ length: 40 }, () => ask({ accountId }))
    assert.equal((await ask({ accountId: other.accountId })).kind, 'answer')
    const kinds = (await Promise.all(answers)).map(({ kind }) => kind)
    assert.deepEqual(
      kinds.slice(0, 32),
      Array.from({ length: 32 }, () => 'answer'),
    )
    assert.deepEqual(
      kinds.slice(32),
      Array.from({ length: 8 }, () => 'busy'),
    )
  },
)

test('a batch has more labels than are remembered (postgres)', async () => {
  await using open = await openTestStore('postgres')
  const log = pino({ level: 'silent' })
  const { store, url = '' } = open
  const engine = openPostgresHistory({ store, url, log, limitMs: 5000, mostLabels: 6 })
  const accountId = newId()
  const batch = (first: number, count: number) =>
    Array.from({ length: count }, (_, i): OutboxEvent => {
      const detail = { sender: `a@d${first + i}.example`, recipients: ['x@y.example'] }
      return {
        ...{ seq: first + i, id: newId(), at: NOW, accountId, messageId: newId(), deliveryId: null },
        ...{
          terminal: false,
          type: 'accepted',
          detail,
          detailJson: JSON.stringify(detail),
          domain: undefined,
        },
      }
    })
  assert.ok(await engine.take(batch(1, 2), []))
  assert.ok(await engine.take(batch(1, 30), []))
  const counts = await engine.read(
    'counts',
    `select sum(events) as n, count(distinct label) as labels from history_count c join history_label l on l.id = c.label
      where l.level = 'whole'`,
    [],
  )
  assert.deepEqual(counts, [{ n: 32, labels: 30 }])
  await engine.close()
})

test('a history file whose rows have no part of their label gets it', async () => {
  await using open = await openTestStore('sqlite')
  const { store, directory } = open
  const query = { limit: 10_000, filter: { field: 'status', is: 'eq', value: 'deliveryFailed' } } as const
  let accountId = ''
  let before: readonly HistoryEvent[] = []
  {
    await using world = await historyWorld(open, { now: () => NOW })
    accountId = await happen(world)
    before = rowsOf(await world.history.events({ ...query, scope: { accountId } }))
    assert.ok(before.length > 0)
  }
  using database = new DatabaseSync(join(directory, 'history/posthorn.sqlite'))
  for (const { day } of database.prepare('select day from history_day').all()) {
    const rows = `history_row_${Number(day)}`
    database.exec(`drop index ${rows}_label; alter table ${rows} drop column by_rule`)
  }
  const log = pino({ level: 'silent' })
  const history = await openHistory({ store, directory, url: undefined, log, days: 31, now: () => NOW })
  try {
    assert.deepEqual(rowsOf(await history.events({ ...query, scope: { accountId } })), before)
  } finally {
    await history.close()
  }
})
