import assert from 'node:assert/strict'
import fc from 'fast-check'
import { eventWrite } from '#events/events.ts'
import * as model from '#test/history-model.ts'
import { historyWorld, makeDomain, rowsOf } from '#test/history-world.ts'
import { onBothEngines } from '#test/stores.ts'
import type { Field, Filter } from './history-query.ts'

const START = Date.UTC(2026, 9, 4)
const NOW = START + 5 * 86_400_000

const FIELDS: readonly Field[] = [...model.TIMES, ...model.WORDS, ...model.FLAGS, ...model.TEXTS]

const time = fc.oneof(
  fc.nat(3 * 24).map((hours) => START + hours * 3_600_000),
  fc.nat(3 * 24 * 60).map((minutes) => START + minutes * 60_000),
  fc.nat(3 * 86_400_000).map((ms) => START + ms),
  fc.constantFrom(0, 1000, 2000, 60_000, 61_000, 86_399_000, 86_400_000).map((ms) => START + ms),
)
const text = fc.oneof(
  fc.constantFrom(
    ...['', 'pass', 'none', 'delivered', 'sent', 'deliveryFailed', 'forward', 'r1', 'Hello', 'other'],
  ),
  fc.constantFrom(
    ...['A@x.example', 'b@x.example', 'Info@one.example', 'ünï@x.example', 's1', 'abuse', "e'%@y.example"],
  ),
)
const pattern = fc.constantFrom(
  ...['%', '%x%', 'H%', '_b', 'a\\_b', '[x]%', '%\\%', '%ï%', 'a\\\\b', '\\', '', '%*?'],
)
const flag = fc.constantFrom(0, 1)

const leaf: fc.Arbitrary<Filter> = fc.oneof(
  comparing(model.TIMES, time),
  comparing(model.FLAGS, flag),
  comparing([...model.WORDS, ...model.TEXTS], text),
  fc.record({ field: fc.constantFrom(...model.WORDS, ...model.TEXTS), is: fc.constant('like'), pattern }),
  fc.record({ field: fc.constantFrom(...model.WORDS, ...model.TEXTS), is: fc.constant('contains'), text }),
)

function comparing(fields: readonly Field[], value: fc.Arbitrary<string | number>): fc.Arbitrary<Filter> {
  const field = fc.constantFrom(...fields)
  return fc.oneof(
    fc.record({ field, is: fc.constantFrom('eq', 'neq', 'gt', 'geq', 'lt', 'leq'), value }),
    fc.record({ field, is: fc.constantFrom('in', 'notin'), values: fc.array(value, { maxLength: 3 }) }),
  )
}

const filter = fc.letrec<{ tree: Filter }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    fc.record({ and: fc.array(tie('tree'), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('tree'), { maxLength: 3 }) }),
  ),
})).tree

const question = fc.record({
  by: fc.uniqueArray(fc.constantFrom(...FIELDS), { maxLength: 3 }),
  filter: fc.option(filter, { nil: undefined, freq: 2 }),
  dataset: fc.constantFrom('sending', 'routing', undefined),
  zones: fc.option(fc.subarray([0, 1]), { nil: undefined }),
  steps: fc.boolean(),
  direction: fc.constantFrom('asc', 'desc'),
})

type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never

function expectedRows(
  rows: ReturnType<typeof model.happenings>['rows'],
  asked: Question,
  zoneIds: readonly string[] | undefined,
) {
  return rows.filter(
    (row) =>
      (asked.steps || row.counted) &&
      (zoneIds === undefined || zoneIds.includes(String(row.fields.zoneTag))) &&
      (asked.dataset === undefined || (asked.dataset === 'sending') === isSent(row)) &&
      (asked.filter === undefined || model.passes(row, asked.filter)),
  )
}

function isSent(row: model.ModelRow): boolean {
  return row.fields.eventType === 'newEmail' || row.fields.eventType === 'reply'
}

onBothEngines('every question has the answer that counting the mail has', async (_t, open) => {
  await using world = await historyWorld(open, { now: () => NOW, batch: 7 })
  const { store, history, projector } = world
  const traffic = fc.record({
    messages: fc.array(model.message, { minLength: 1, maxLength: 25 }),
    questions: fc.array(question, { minLength: 10, maxLength: 10 }),
    sets: fc.integer({ min: 1, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(traffic, async ({ messages, questions, sets }) => {
      const check = ['dkim.conflict', 'dmarc.missing']
      const one = await makeDomain(store, { name: 'one.example', check })
      const two = await makeDomain(store, { name: 'two.example', accountId: one.accountId, check })
      const { events, rows } = model.happenings(messages, [one, two], START)
      for (let from = 0; from < events.length; from += sets) {
        await store.commit(events.slice(from, from + sets).map(eventWrite))
      }
      await projector.caughtUp()
      for (const asked of questions) {
        const zoneIds = asked.zones?.map((index) => [one, two][index]?.zoneId ?? '')
        const expected = expectedRows(rows, asked, zoneIds)
        const scope = { accountId: one.accountId, ...(zoneIds && { zoneIds }) }
        const { filter, dataset, steps, by, direction } = asked
        const query = { scope, steps, limit: 10_000, ...(filter && { filter }), ...(dataset && { dataset }) }
        await compareGroups(history, { ...query, by, direction }, expected)
        await compareEvents(history, { ...query, direction }, expected)
      }
    }),
    { numRuns: open.engine === 'sqlite' ? 20 : 6, endOnFailure: true },
  )
})

type World = Awaited<ReturnType<typeof historyWorld>>
type Asked = Omit<Parameters<World['history']['groups']>[0], 'by' | 'order'> & {
  readonly direction: 'asc' | 'desc'
}

async function compareGroups(
  history: World['history'],
  { direction, ...query }: Asked & { readonly by: readonly Field[] },
  expected: readonly model.ModelRow[],
): Promise<void> {
  const counts = new Map<string, number>()
  for (const row of expected) {
    const key = JSON.stringify(query.by.map((field) => model.valueOf(row, field)))
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const [first] = query.by
  const order = first ? [{ by: first, direction }] : []
  const groups = rowsOf(await history.groups({ ...query, order }))
  const answered = groups.map(({ count, dimensions }) => [
    JSON.stringify(query.by.map((field) => dimensions[field])),
    count,
  ])
  assert.deepEqual(new Map(answered as [string, number][]), counts, JSON.stringify(query))
  assert.equal(answered.length, counts.size)
  if (first)
    assertOrdered(
      groups.map(({ dimensions }) => dimensions[first] ?? ''),
      direction,
    )
}

async function compareEvents(
  history: World['history'],
  { direction, ...query }: Asked,
  expected: readonly model.ModelRow[],
): Promise<void> {
  const sign = direction === 'asc' ? 1 : -1
  const inOrder = expected.toSorted(
    (one, other) => sign * (one.at - other.at || one.order - other.order || one.ordinal - other.ordinal),
  )
  const wanted = inOrder.map((row) => [row.at, ...FIELDS.map((field) => model.valueOf(row, field))])
  const order = [{ by: 'datetime', direction } as const]
  const told: unknown[] = []
  // By pages, the last of which is short.
  for (let after: { at: number; seq: number; ordinal: number } | undefined; ; ) {
    const page = rowsOf(await history.events({ ...query, order, limit: 9, ...(after && { after }) }))
    for (const event of page) told.push([event.at, ...FIELDS.map((field) => fieldOf(event, field))])
    after = page.at(-1)
    if (page.length < 9) break
  }
  assert.deepEqual(told, wanted, JSON.stringify(query))
}

function fieldOf(event: object, field: Field): unknown {
  const at = Number(Reflect.get(event, 'at'))
  const interval = {
    date: 86_400_000,
    datetimeHour: 3_600_000,
    datetimeFifteenMinutes: 900_000,
    datetimeFiveMinutes: 300_000,
    datetimeMinute: 60_000,
    datetime: 1000,
  }
  const ms: unknown = Reflect.get(interval, field)
  if (typeof ms === 'number') return at - (at % ms)
  return Reflect.get(event, field === 'envelopeTo' ? 'to' : field)
}

function assertOrdered(values: readonly (string | number)[], direction: 'asc' | 'desc'): void {
  const sign = direction === 'asc' ? 1 : -1
  for (const [index, value] of values.entries()) {
    const next = values[index + 1]
    if (next !== undefined) assert.ok(sign * model.compare(value, next) <= 0)
  }
}
