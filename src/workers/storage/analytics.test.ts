import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type OpenStore, onBothEngines, openTestStore } from '#test/stores.ts'
import { openAnalytics } from './analytics.ts'
import { type DataPointWish, isDataset, readDataPoint } from './data-point.ts'

const ACCOUNT = 'a'.repeat(32)
const NOON = Date.UTC(2026, 10, 20, 12)

function world({ store }: OpenStore) {
  let now = NOON
  const analytics = openAnalytics({ store, clock: () => now })
  return {
    analytics,
    pass: (ms: number) => (now += ms),
    write: async (wish: DataPointWish, dataset = 'mail') => {
      const point = readDataPoint(wish)
      if ('detail' in point) assert.fail(point.detail)
      await analytics.write(ACCOUNT, dataset, point)
    },
    ask: async (sql: string, accountId = ACCOUNT) => {
      const answer = await analytics.query(accountId, sql)
      return 'detail' in answer ? answer.detail : answer.data
    },
  }
}

async function mails(opened: ReturnType<typeof world>) {
  const { write, pass } = opened
  await write({
    blobs: ['in', 'a@x.test', 'support'],
    doubles: [1, 100],
    indexes: ['category:support', 'priority:low'],
  })
  pass(60_000)
  await write({ blobs: ['in', 'b@x.test', 'sales'], doubles: [1, 300] })
  pass(60_000)
  await write({ blobs: ['out', 'a@x.test', 'support'], doubles: [1, 50] })
}

onBothEngines('what was written is found, and counted', async (_t, open) => {
  const opened = world(open)
  const { ask } = opened
  await mails(opened)
  assert.deepEqual(
    await ask("SELECT blob2, double2, index2, blob9, double9 FROM mail WHERE blob3 = 'support'"),
    [
      { blob2: 'a@x.test', double2: 100, index2: 'priority:low', blob9: '', double9: 0 },
      { blob2: 'a@x.test', double2: 50, index2: '', blob9: '', double9: 0 },
    ],
  )
  const sql = `select blob1 as way, count() as mails, sum(double2 * _sample_interval) as size, max(timestamp) as last
    from mail group by way having mails > 0 order by size desc limit 5 format json;`
  assert.deepEqual(await ask(sql), [
    { way: 'in', mails: 2, size: 400, last: '2026-11-20 12:01:00' },
    { way: 'out', mails: 1, size: 50, last: '2026-11-20 12:02:00' },
  ])
  assert.deepEqual(
    await ask(
      'SELECT count() AS n, count(DISTINCT blob2) AS who, avg(double2) AS mean, min(blob3) AS first FROM mail',
    ),
    [{ n: 3, who: 2, mean: 150, first: 'sales' }],
  )
  assert.deepEqual(await ask("SELECT count() FROM mail WHERE timestamp > now() - INTERVAL '1' MINUTE"), [
    { 'count()': 1 },
  ])
  assert.deepEqual(
    await ask("SELECT count() AS n FROM mail WHERE timestamp <= toDateTime('2026-11-20 12:00:00')"),
    [{ n: 1 }],
  )
  assert.deepEqual(
    await ask(
      "SELECT toStartOfInterval(timestamp, INTERVAL '2' MINUTE) AS slot, count() AS n FROM mail GROUP BY slot ORDER BY slot",
    ),
    [
      { slot: '2026-11-20 12:00:00', n: 2 },
      { slot: '2026-11-20 12:02:00', n: 1 },
    ],
  )
  assert.deepEqual(
    await ask(
      "SELECT blob2 FROM mail WHERE (blob3 IN ('sales', 'x') OR NOT blob1 = 'in') AND double2 BETWEEN 1 AND 60",
    ),
    [{ blob2: 'a@x.test' }],
  )
  assert.deepEqual(
    await ask("SELECT count() AS n FROM mail WHERE blob2 LIKE '_@%test' AND blob2 NOT LIKE '%y%'"),
    [{ n: 3 }],
  )
  assert.deepEqual(await ask('SELECT blob3 FROM mail ORDER BY double2 LIMIT 1 OFFSET 1'), [
    { blob3: 'support' },
  ])
})

onBothEngines('datasets and accounts are apart', async (_t, open) => {
  const { write, ask } = world(open)
  await write({ doubles: [1] })
  await write({ doubles: [2] }, 'other-set')
  assert.deepEqual(await ask('SELECT sum(double1) AS s FROM mail'), [{ s: 1 }])
  assert.deepEqual(await ask('SELECT sum(double1) AS s FROM "other-set"'), [{ s: 2 }])
  assert.deepEqual(await ask('SHOW TABLES'), [{ dataset: 'mail' }, { dataset: 'other-set' }])
  assert.deepEqual(await ask('SELECT count() AS n FROM mail', 'b'.repeat(32)), [{ n: 0 }])
  assert.deepEqual(await ask('SHOW TABLES', 'b'.repeat(32)), [])
  assert.deepEqual(await ask('SELECT blob1 FROM nothing'), [])
})

onBothEngines('what is older than its retention is swept', async (_t, open) => {
  const { write, ask, pass, analytics } = world(open)
  await write({})
  pass(92 * 86_400_000)
  await write({ blobs: ['new'] })
  await analytics.sweep()
  assert.deepEqual(await ask('SELECT blob1 FROM mail'), [{ blob1: '' }, { blob1: 'new' }])
  pass(1)
  await analytics.sweep()
  assert.deepEqual(await ask('SELECT blob1 FROM mail'), [{ blob1: 'new' }])
})

onBothEngines('more than one page', async (_t, open) => {
  const { write, ask } = world(open)
  await Promise.all(Array.from({ length: 4100 }, (_, index) => write({ doubles: [index] })))
  assert.deepEqual(await ask('SELECT count() AS n, sum(double1) AS s FROM mail'), [
    { n: 4100, s: (4100 * 4099) / 2 },
  ])
  const rows = await ask('SELECT double1 FROM mail LIMIT 3000')
  assert.equal(rows.length, 3000)
})

onBothEngines('a query that cannot be answered says why', async (_t, open) => {
  const opened = world(open)
  await mails(opened)
  const refusals: readonly (readonly [sql: string, says: RegExp])[] = [
    ['', /SELECT where it ends/],
    ['DELETE FROM mail', /SELECT at character 1/],
    ['SELECT', /a value where it ends/],
    ['SELECT blob1 FROM mail; SELECT 1', /the end at character 25/],
    ['SELECT password FROM mail', /no column "password"/],
    ['SELECT constructor(1) FROM mail', /no function CONSTRUCTOR/],
    ['SELECT blob1 + 1 FROM mail', /'in' is no number/],
    ["SELECT double1 FROM mail WHERE double1 > 'x'", /cannot be compared/],
    ['SELECT sum(count()) FROM mail', /COUNT\(\) cannot stand here/],
    ['SELECT blob1 FROM mail WHERE count() > 1', /COUNT\(\) cannot stand here/],
    ['SELECT sum(blob1) FROM mail', /is no number/],
    ['SELECT sum() FROM mail', /takes one argument/],
    ['SELECT blob1 FROM mail LIMIT x', /a whole number/],
    ["SELECT now() - INTERVAL '1' YEAR FROM mail", /SECOND, MINUTE/],
    ["SELECT 'open FROM mail", /no sense at character 8/],
    [`SELECT ${'('.repeat(3000)}1`, /nested too deep/],
    [`SELECT ${'1+'.repeat(4000)}1 FROM mail`, /too long a chain/],
    [`SELECT ${'-'.repeat(4000)}1 FROM mail`, /no sense|nested too deep|SELECT|value/],
    ['x'.repeat(10_001), /10000 characters/],
  ]
  for (const [sql, says] of refusals) {
    const answer = await opened.ask(sql)
    assert.ok(typeof answer === 'string', sql.slice(0, 60))
    assert.match(answer, says)
  }
})

test('no query makes more than an answer or a refusal', async () => {
  await using open = await openTestStore('sqlite')
  const analytics = openAnalytics({ store: open.store, clock: () => NOON })
  const word = fc.constantFrom(
    ...'SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT AND OR NOT IN LIKE BETWEEN AS ( ) , * + - / % = < > 1 mail blob1 double1 timestamp count() sum( now() INTERVAL DAY'.split(
      ' ',
    ),
    "'text'",
    '"q"',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
      ),
      async (sql) => {
        const answer = await analytics.query(ACCOUNT, sql)
        assert.ok('detail' in answer ? answer.detail.length > 0 : answer.rows >= 0)
      },
    ),
    { numRuns: 500 },
  )
})

test('what a dataset takes', () => {
  const read = (wish: DataPointWish) => readDataPoint(wish)
  assert.deepEqual(read({ blobs: ['a', null, Buffer.from('ü')], doubles: [1.5], indexes: null }), {
    ...{ blobs: ['a', '', 'ü'], doubles: [1.5], indexes: [] },
  })
  for (const wrong of [
    { blobs: 'text' },
    { blobs: [1] },
    { blobs: Array.from({ length: 21 }, () => '') },
    { blobs: ['x'.repeat(16_385)] },
    { doubles: ['1'] },
    { doubles: [Number.NaN] },
    { indexes: ['x'.repeat(97)] },
  ]) {
    assert.ok('detail' in read(wrong), JSON.stringify(wrong).slice(0, 40))
  }
  assert.ok(isDataset('mail_stats-2') && !isDataset('') && !isDataset('a b') && !isDataset('x'.repeat(65)))
})
