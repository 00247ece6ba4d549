import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql'
import { keepBusy } from '#test/history-world.ts'
import { eventsOf, queryWorld } from '#test/query-world.ts'
import { openTestStore } from '#test/stores.ts'

/** Whatever a query holds, it is answered or refused at once, and history is not asked for what was refused. */
let open: Awaited<ReturnType<typeof openTestStore>>
let world: Awaited<ReturnType<typeof queryWorld>>

before(async () => {
  open = await openTestStore('sqlite')
  world = await queryWorld(open)
  await world.happen(eventsOf(world.domain).sent('2024-07-20T00:00:00Z', 'delivered'))
})
after(async () => {
  await world[Symbol.asyncDispose]()
  await open[Symbol.asyncDispose]()
})

const inZones = (selection: string) => `{ viewer { zones { ${selection} } } }`
const grouped = (filter: string) => inZones(`emailSendingAdaptiveGroups(filter: ${filter}) { count }`)
const times = (count: number, of: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => of(index)).join(' ')

const HOSTILE: readonly [what: string, query: string, message: RegExp, variables?: object][] = [
  ['aliases of leaves', inZones(times(300, (n) => `a${n}: zoneTag`)), /more than 200 aliases/],
  [
    'aliases of datasets',
    inZones(times(60, (n) => `a${n}: emailSendingAdaptiveGroups { count }`)),
    /in combination, your request queries too many nodes, zones and accounts/,
  ],
  [
    'aliases of zones',
    `{ viewer { ${times(60, (n) => `a${n}: zones { emailSendingAdaptive { to } }`)} } }`,
    /in combination, your request queries too many nodes/,
  ],
  [
    'aliases of the schema',
    `{ ${times(100, (n) => `a${n}: __schema { types { inputFields { name description } } }`)} }`,
    /asks the schema for too much at once/,
  ],
  [
    'the schema within itself',
    `{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }`,
    /introspection depth exceeded/i,
  ],
  [
    'leaves of the schema',
    `{ __schema { types { inputFields { ${times(190, (n) => `a${n}: name`)} } } } }`,
    /asks the schema for too much at once/,
  ],
  [
    'more fields than a dataset gives',
    inZones(`emailSendingAdaptive { ${times(31, (n) => `a${n}: subject`)} }`),
    /number of fields can't be more than 30/,
  ],
  ['depth', `{ viewer ${'{ zones '.repeat(40)}${'}'.repeat(41)}`, /nested deeper than 20 levels/],
  ['more depth', '{ a '.repeat(15_000), /nested too deep/],
  ['brackets', `{ a(b: ${'['.repeat(20_000)}`, /nested too deep/],
  ['length', `${inZones('zoneTag')}${' '.repeat(65_536)}`, /longer than 65536 characters/],
  ['tokens', inZones('a '.repeat(12_000)), /more than 10000 tokens/],
  ['repeated fields', inZones('zoneTag '.repeat(5000)), /more than 500 fields/],
  ['repeated nodes', `{ ${'viewer { zones { zoneTag } } '.repeat(300)} }`, /more than 500 fields/],
  [
    'fragments of fragments',
    `${inZones('...f0')} ${times(30, (n) => `fragment f${n} on zone { zoneTag ${n < 29 ? `...f${n + 1} ...f${n + 1}` : ''} }`)}`,
    /more than 500 fields, counted where fragments are spread/,
  ],
  [
    'fragments in a circle',
    `${inZones('...a')} fragment a on zone { ...b } fragment b on zone { zoneTag ...a }`,
    /Cannot spread fragment "a" within itself via "b"/,
  ],
  [
    'a fragment in itself',
    `${inZones('...a')} fragment a on zone { zoneTag ...a }`,
    /Cannot spread fragment "a" within itself/,
  ],
  [
    'a multitude of fragments',
    `${inZones('zoneTag')} ${times(500, (n) => `fragment a${n} on zone { zoneTag ...a${n + 1} }`)}`,
    /more than 50 fragments/,
  ],
  ['unknown fields', inZones(times(400, (n) => `emailSendingAdaptiveGroup${n}`)), /Cannot query field/],
  [
    'a long list',
    grouped(`{ status_in: [${'"a", '.repeat(1001)}] }`),
    /1001 values, and a list may have 1000/,
  ],
  [
    'a long list in a variable',
    grouped('{ status_in: $list }'),
    /19000 values, and a list may have 1000/,
    { list: Array(19_000).fill('a') },
  ],
  [
    'many lists',
    grouped('{ status_in: $list, spf_in: $list, dkim_notin: $list }'),
    /lists of a filter have more than 2000 values/,
    { list: Array(1000).fill('a') },
  ],
  [
    'many conditions',
    grouped('{ OR: $all }'),
    /more than 200 conditions/,
    { all: Array.from({ length: 201 }, () => ({ status: 'a' })) },
  ],
  [
    'many conditions that ask for nothing',
    grouped(`{ OR: [${'{}, '.repeat(3000)}] }`),
    /more than 200 conditions/,
  ],
  [
    'the same within each other',
    inZones('emailSendingAdaptive(filter: $f) { to }'),
    /more than 200 conditions/,
    { f: { AND: Array.from({ length: 9000 }, () => ({ AND: [], OR: { AND: [] } })) } },
  ],
  [
    'a long list of times',
    inZones('emailSendingAdaptive(filter: { datetime_notin: $list }) { to }'),
    /more than 200 conditions, each time of a list among them/,
    { list: Array.from({ length: 1000 }, (_, n) => new Date(1_721_433_600_000 + n * 7000).toISOString()) },
  ],
  [
    'a deep filter',
    grouped('$filter'),
    /AND and OR are nested deeper than 8/,
    { filter: Array.from({ length: 20 }).reduce<object>((inner) => ({ OR: [inner] }), { status: 'a' }) },
  ],
  [
    'a day that no calendar has',
    grouped('{ date_geq: "2024-02-30" }'),
    /"2024-02-30" is no Date: write a day that exists/,
  ],
  [
    'a word for a day',
    grouped('{ date_geq: $d }'),
    /filter\.date_geq: "yesterday" is no Date/,
    { d: 'yesterday' },
  ],
  ['no day', grouped('{ date_geq: [] }'), /is no Date/],
  [
    'a day for a time',
    grouped('{ datetime_gt: $d }'),
    /write the time too, "2024-07-15T00:00:00Z"/,
    { d: '2024-07-15' },
  ],
  [
    'an object for a value',
    grouped('{ status: $v }'),
    /filter\.status: \{"a":1\} is no string/,
    { v: { a: 1 } },
  ],
  ['a filter that is a list', grouped('$f'), /filter: it is an object of filters/, { f: [{ status: 'a' }] }],
  [
    'a filter that is none',
    grouped('$f'),
    /filter\.constructor: there is no such filter/,
    { f: { constructor: 'a' } },
  ],
  ['an unknown key', grouped('{ status_regex: "a" }'), /status_regex/],
  ['OR of nothing', grouped('{ OR: [] }'), /filter\.OR: it needs one filter at least/],
  ['NUL', grouped('{ status: "\\u0000" }'), /NUL/],
  [
    'too many rows',
    inZones('emailSendingAdaptive(limit: 10001) { to }'),
    /not greater than 10000, not 10001/,
  ],
  ['no rows', inZones('emailSendingAdaptive(limit: 0) { to }'), /limit must be positive number/],
  [
    'a limit that is none',
    inZones('emailSendingAdaptive(limit: $n) { to }'),
    /not greater than 10000, not 1\.5/,
    { n: 1.5 },
  ],
  [
    'an order that is none',
    inZones('emailSendingAdaptive(orderBy: $o) { to }'),
    /orderBy\.0: there is no order "count_DESC"/,
    { o: 'count_DESC' },
  ],
  [
    'an order by nothing',
    inZones('emailSendingAdaptiveGroups(orderBy: [spf_ASC]) { count }'),
    /add dimensions \{ spf \}/,
  ],
  [
    'many orders',
    inZones('emailSendingAdaptive(orderBy: $o) { to }'),
    /at most 10 entries/,
    { o: Array(11).fill('to_ASC') },
  ],
  [
    'many zones',
    '{ viewer { zones(filter: { zoneTag_in: $z }) { zoneTag } } }',
    /number of zones can't be more than 10/,
    { z: times(11, (n) => String(n)).split(' ') },
  ],
  [
    'zones by two filters',
    '{ viewer { zones(filter: { zoneTag: "a", zoneTag_gt: "b" }) { zoneTag } } }',
    /one of zoneTag, zoneTag_in and zoneTag_gt/,
  ],
  [
    'a zone that was not given',
    'query ($z: string) { viewer { zones(filter: { zoneTag: $z }) { zoneTag } } }',
    /one of zoneTag, zoneTag_in and zoneTag_gt/,
  ],
  [
    'a variable that was not given',
    'query ($z: string!) { viewer { zones(filter: { zoneTag: $z }) { zoneTag } } }',
    /the variable \$z has no value/,
  ],
  [
    'a variable that nobody declared',
    '{ viewer { zones(filter: { zoneTag: $z }) { zoneTag } } }',
    /the variable \$z has no value/,
  ],
  ['no account', '{ viewer { accounts { accountTag } } }', /names exactly one account/],
  [
    'two accounts',
    '{ viewer { accounts(filter: { accountTag_in: ["a", "b"] }) { accountTag } } }',
    /names exactly one account/,
  ],
  ['a mutation', 'mutation { viewer { zones { zoneTag } } }', /mutation/],
  [
    'two operations',
    'query A { viewer { zones { zoneTag } } } query B { viewer { zones { zoneTag } } }',
    /several operations/,
  ],
  ['a schema', 'type Query { a: Int }', /has no operation/],
  ['nothing', '', /Syntax Error/],
  ['half a query', '{ viewer {', /Syntax Error/],
  ['no text', '\u0000', /Syntax Error/],
]

for (const [what, query, message, variables] of HOSTILE) {
  test(`400: ${what}`, async () => {
    const { status, body } = await world.ask(query, variables as Record<string, unknown>)
    assert.equal(status, 400, JSON.stringify(body).slice(0, 500))
    assert.equal(body.data, null)
    assert.match(body.errors?.map((error) => error.message).join('\n') ?? '', message)
    assert.ok(body.errors && body.errors.length <= 5 && JSON.stringify(body).length < 4000)
  })
}

test('a whole introspection is answered, and a second one beside it', async () => {
  const query = getIntrospectionQuery({ oneOf: true, specifiedByUrl: true, inputValueDeprecation: true })
  const { status, body } = await world.ask(query)
  assert.equal(status, 200)
  // The introspection of a schema, by its own query.
  const schema = buildClientSchema(body.data as unknown as IntrospectionQuery)
  assert.ok(schema.getType('ZoneEmailSendingAdaptiveGroupsDimensions'))
})

test('who asks for everything at once waits for a turn, and past that is told to', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => world.ask(grouped('{ status: "sent" }'))),
  )
  const busy = answers.filter(({ status }) => status === 429)
  assert.ok(busy.length > 0 && busy.length < 30)
  for (const { body } of busy) {
    assert.equal(body.errors?.[0]?.message, 'too many queries in progress, please try again later')
    assert.equal(body.errors?.[0]?.extensions.code, 'budget')
  }
  assert.ok(answers.every(({ status }) => status === 200 || status === 429))
  assert.equal((await world.ask(grouped('{ status: "sent" }'))).status, 200)
})

test('where too many of an account ask, it is busy, and nothing is wrong with the query', async () => {
  const calm = keepBusy(world.history, world.domain.accountId)
  const { status, body } = await world.ask(grouped('{ status: "sent" }'))
  await calm()
  assert.equal(status, 429)
  assert.equal(body.errors?.[0]?.message, 'too many queries in progress, please try again later')
  assert.equal((await world.ask(grouped('{ status: "sent" }'))).status, 200)
})

test('what is only read waits for a turn as well: that may take as long', async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, () => world.ask(inZones('nothing'))))
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual(new Set(statuses), new Set([400, 429]))
})

const STATUSES: ReadonlySet<number> = new Set([200, 400, 403])

test('whatever is written, there is an answer', async () => {
  const word = fc.constantFrom(
    ...[
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      ':',
      '...',
      '$a',
      '!',
      '@skip',
      '"x"',
      '"""y"""',
      '1',
      '-1.5e9',
      'null',
      '#\n',
    ],
    ...[
      'query',
      'fragment',
      'on',
      'viewer',
      'zones',
      'filter',
      'zoneTag',
      'emailSendingAdaptive',
      'to',
      'if',
    ],
    ...[
      'emailRoutingAdaptiveGroups',
      'count',
      'dimensions',
      'date',
      'status',
      'orderBy',
      'date_DESC',
      '__schema',
    ],
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
  )
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()),
      async (query, variables) => {
        const { status, body } = await world.ask(query, variables)
        assert.ok(STATUSES.has(status))
        assert.equal(status === 200, body.errors === null)
      },
    ),
    { numRuns: 300 },
  )
})

test('whatever a filter holds, there is an answer', async () => {
  const keys = ['status', 'status_in', 'date_geq', 'datetime_lt', 'isSpam_neq', 'subject_like', 'to', 'nope']
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom('2024-07-20', '2024-07-20T00:00:00Z', '%\\', '_*[?', 0, 1),
    fc.array(fc.string(), { maxLength: 3 }),
  )
  const { filter } = fc.letrec<{ filter: unknown }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 }),
      fc.record({ OR: fc.array(tie('filter'), { maxLength: 3 }) }),
      fc.record({ AND: fc.oneof(tie('filter'), fc.array(tie('filter'), { maxLength: 3 })) }),
    ),
  }))
  const query = inZones(`
    emailSendingAdaptive(filter: $f, limit: 5) { to }
    emailSendingAdaptiveGroups(filter: $f, limit: 5) { count }`)
  await fc.assert(
    fc.asyncProperty(filter, async (f) => {
      const { status, body } = await world.ask(query, { f })
      assert.ok(STATUSES.has(status), JSON.stringify(body))
    }),
    { numRuns: 200 },
  )
})
