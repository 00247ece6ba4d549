import assert from 'node:assert/strict'
import type { Cause } from '#model/event.ts'
import { PAGE_QUERIES } from '#test/page-queries.ts'
import { askerOf, eventsOf, queryWorld } from '#test/query-world.ts'
import { onBothEngines } from '#test/stores.ts'
import type { GraphqlAnswer } from './graphql.ts'

const RULE = 'a'.repeat(32)

type Node = Readonly<Record<string, unknown>>

/** The zones, or the accounts, of an answer. */
function nodesOf({ status, body }: GraphqlAnswer, kind: 'zones' | 'accounts' = 'zones'): readonly Node[] {
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.errors, null)
  // Plain objects, whatever graphql-js makes.
  const { viewer } = JSON.parse(JSON.stringify(body.data)) as { viewer: Record<string, readonly Node[]> }
  return viewer[kind] ?? assert.fail(kind)
}

onBothEngines('every query of the page, as it is printed', async (_t, open) => {
  await using world = await queryWorld(open)
  const { domain, second, foreign } = world
  const { sent, routed } = eventsOf(domain)
  const failed = { cause: 'recipient-unknown' as Cause, smtpReply: '550 5.1.1 no such user' }
  await world.happen([
    ...sent('2024-07-14T23:59:59.999Z', 'delivered'),
    ...sent('2024-07-15T00:00:00.000Z', 'delivered', { subject: 'First', recipient: 'a@example.com' }),
    ...sent('2024-07-15T00:59:59.999Z', 'bounced', failed),
    ...sent('2024-07-30T23:59:59.999Z', 'bounced', failed),
    ...sent('2024-07-31T00:00:00.000Z', 'delivered'),
    ...routed('2024-07-20T10:00:00.000Z', 'dropped', { ruleId: RULE }),
    ...routed('2024-07-20T11:00:00.000Z', 'dropped', { ruleId: RULE }),
    ...routed('2024-07-21T11:00:00.000Z', 'rejected', { action: 'none', spf: 'fail', reason: 'SPF failed' }),
    ...eventsOf(second).sent('2024-07-20T00:00:00Z', 'delivered'),
    ...eventsOf(foreign).sent('2024-07-20T00:00:00Z', 'delivered'),
  ])
  const answers = new Map<string, unknown>()
  for (const { name, query, variables } of PAGE_QUERIES) {
    const nodes = nodesOf(await world.ask(query, { zoneTag: domain.zoneId, ...variables }))
    assert.equal(nodes.length, 1)
    answers.set(name, Object.values(nodes[0] ?? {})[0])
  }
  const group = (count: number, dimensions: object) => ({ count, dimensions })
  assert.deepEqual(answers.get('Email sending operations'), [
    group(1, { date: '2024-07-30', status: 'deliveryFailed' }),
    group(1, { date: '2024-07-30', status: 'sent' }),
    group(1, { date: '2024-07-15', status: 'delivered' }),
    group(1, { date: '2024-07-15', status: 'deliveryFailed' }),
    group(2, { date: '2024-07-15', status: 'sent' }),
  ])
  const cause = { errorCause: 'recipient-unknown', sendingDomain: 'one.example' }
  assert.deepEqual(answers.get('Delivery failure analysis'), [
    group(1, { date: '2024-07-30', ...cause }),
    group(1, { date: '2024-07-15', ...cause }),
  ])
  assert.deepEqual(answers.get('Hourly volume'), [
    group(1, { datetimeHour: '2024-07-15T00:00:00Z', status: 'delivered' }),
    group(1, { datetimeHour: '2024-07-15T00:00:00Z', status: 'deliveryFailed' }),
    group(2, { datetimeHour: '2024-07-15T00:00:00Z', status: 'sent' }),
    group(1, { datetimeHour: '2024-07-30T23:00:00Z', status: 'deliveryFailed' }),
    group(1, { datetimeHour: '2024-07-30T23:00:00Z', status: 'sent' }),
  ])
  const events = answers.get('Individual email events') as readonly Node[]
  assert.deepEqual(
    events.map(({ datetime, status }) => [datetime, status]),
    [
      ['2024-07-30T23:59:59Z', 'deliveryFailed'],
      ['2024-07-30T23:59:59Z', 'sent'],
      ['2024-07-15T00:59:59Z', 'deliveryFailed'],
      ['2024-07-15T00:59:59Z', 'sent'],
      ['2024-07-15T00:00:00Z', 'delivered'],
      ['2024-07-15T00:00:00Z', 'sent'],
    ],
  )
  const { messageId, ...last } = events[4] ?? {}
  assert.match(String(messageId), /^<[0-9a-f]{32}@one\.example>$/)
  assert.deepEqual(last, {
    ...{ datetime: '2024-07-15T00:00:00Z', from: 'news@one.example', to: 'a@example.com', subject: 'First' },
    ...{ status: 'delivered', eventType: 'newEmail', sendingDomain: 'one.example' },
    ...{ errorCause: '', errorDetail: '', dkim: 'none', dmarc: 'none', spf: 'none', isSpam: 0 },
  })
  assert.equal(events[0]?.['errorDetail'], '550 5.1.1 no such user')
  assert.deepEqual(answers.get('Email routing operations'), [
    group(1, { date: '2024-07-21', status: 'rejected' }),
    group(2, { date: '2024-07-20', status: 'dropped' }),
  ])
  assert.deepEqual(answers.get('Routing rule activity'), [
    group(1, { date: '2024-07-21', ruleMatched: '', action: 'none' }),
    group(2, { date: '2024-07-20', ruleMatched: RULE, action: 'drop' }),
  ])
  assert.deepEqual(
    (answers.get('Individual routing events') as readonly Node[]).map((each) => [
      ...[each['to'], each['status'], each['action'], each['ruleMatched'], each['spf'], each['errorDetail']],
    ]),
    [
      ['info@one.example', 'rejected', 'none', '', 'fail', 'SPF failed'],
      ['info@one.example', 'dropped', 'drop', RULE, 'pass', ''],
      ['info@one.example', 'dropped', 'drop', RULE, 'pass', ''],
    ],
  )
})

onBothEngines('each operator, AND and OR, on rows and on counts alike', async (_t, open) => {
  await using world = await queryWorld(open)
  const { domain } = world
  const { sent } = eventsOf(domain)
  const subjects = ['Ant', 'Bee', 'Bug', 'Cow']
  await world.happen(
    subjects.flatMap((subject, index) =>
      sent(`2024-07-2${index}T0${index}:10:30Z`, index === 3 ? 'bounced' : 'delivered', {
        ...{ subject, recipient: `${subject.toLowerCase()}@example.com` },
      }),
    ),
  )
  const ended = { status_neq: 'sent' }
  const cases: readonly [object, readonly string[]][] = [
    [{ subject: 'Bee' }, ['Bee']],
    [{ subject_neq: 'Bee' }, ['Ant', 'Bug', 'Cow']],
    [{ subject_gt: 'Bee' }, ['Bug', 'Cow']],
    [{ subject_geq: 'Bee' }, ['Bee', 'Bug', 'Cow']],
    [{ subject_lt: 'Bug' }, ['Ant', 'Bee']],
    [{ subject_leq: 'Bug' }, ['Ant', 'Bee', 'Bug']],
    [{ subject_in: ['Cow', 'Ant', 'Elk'] }, ['Ant', 'Cow']],
    [{ subject_in: 'Cow' }, ['Cow']],
    [{ subject_in: [] }, []],
    [{ subject_notin: ['Cow', 'Ant'] }, ['Bee', 'Bug']],
    [{ subject_like: 'B%' }, ['Bee', 'Bug']],
    [{ subject_like: '_o_' }, ['Cow']],
    [{ to: 'BEE@example.com' }, ['Bee']],
    [{ envelopeTo_like: 'b%@example.com' }, ['Bee', 'Bug']],
    [{ OR: [{ subject: 'Ant' }, { subject: 'Cow', status: 'deliveryFailed' }] }, ['Ant', 'Cow']],
    [
      { AND: [{ subject_gt: 'Ant' }, { OR: [{ subject_lt: 'Bug' }, { status: 'deliveryFailed' }] }] },
      ['Bee', 'Cow'],
    ],
    [{ AND: [] }, subjects],
    [{ date: '2024-07-21' }, ['Bee']],
    [{ date_gt: '2024-07-21' }, ['Bug', 'Cow']],
    [{ date_in: ['2024-07-20', '2024-07-23'] }, ['Ant', 'Cow']],
    [{ datetime_geq: '2024-07-21T01:10:30Z', datetime_lt: '2024-07-23T03:10:30Z' }, ['Bee', 'Bug']],
    [{ datetime_leq: '2024-07-21T03:10:30+02:00' }, ['Ant', 'Bee']],
    [{ datetimeHour: '2024-07-22T02:00:00Z' }, ['Bug']],
    [{ datetimeFifteenMinutes_gt: '2024-07-22T02:00:00Z' }, ['Cow']],
    [{ datetimeFiveMinutes: '2024-07-22T02:10:00.000Z' }, ['Bug']],
    [{ datetimeMinute_neq: '2024-07-22T02:10:00Z' }, ['Ant', 'Bee', 'Cow']],
    [{ isLastEvent: 1 }, subjects],
    [{ isSpam_gt: 0 }, []],
    [{ isNDR_in: [0, 7] }, subjects],
    [{ status: null, subject: 'Ant' }, ['Ant']],
  ]
  const query = `query ($zoneTag: string, $filter: ZoneEmailSendingAdaptiveFilter_InputObject) {
    viewer {
      zones(filter: { zoneTag: $zoneTag }) {
        rows: emailSendingAdaptive(filter: $filter, orderBy: [subject_ASC]) { subject }
      }
    }
  }`
  for (const [asked, expected] of cases) {
    const filter = { AND: [ended, asked] }
    const [zone] = nodesOf(await world.ask(query, { zoneTag: domain.zoneId, filter }))
    const rows = zone?.['rows'] as readonly { subject: string }[]
    assert.deepEqual(
      rows.map(({ subject }) => subject),
      expected,
      JSON.stringify(asked),
    )
  }
  const grouped = `query ($zoneTag: string, $filter: ZoneEmailSendingAdaptiveGroupsFilter_InputObject) {
    viewer {
      zones(filter: { zoneTag: $zoneTag }) { emailSendingAdaptiveGroups(filter: $filter) { count } }
    }
  }`
  for (const [asked, expected] of cases) {
    // Counts know no subjects.
    if (JSON.stringify(asked).includes('subject') || 'to' in asked) continue
    const filter = { AND: [ended, asked] }
    const [zone] = nodesOf(await world.ask(grouped, { zoneTag: domain.zoneId, filter }))
    const counts = expected.length > 0 ? [{ count: expected.length }] : []
    assert.deepEqual(zone?.['emailSendingAdaptiveGroups'], counts, JSON.stringify(asked))
  }
})

onBothEngines(
  'several zones, aliases, fragments, variables of other types, and an account',
  async (_t, open) => {
    await using world = await queryWorld(open)
    const { domain, second, foreign } = world
    const day = '2024-07-20T00:00:00Z'
    await world.happen([
      ...eventsOf(domain).sent(day, 'delivered'),
      ...eventsOf(second).sent(day, 'delivered'),
      ...eventsOf(second).sent(day, 'bounced'),
      ...eventsOf(foreign).sent(day, 'delivered'),
    ])
    const byTag = [
      { zoneTag: domain.zoneId, total: [{ count: 2 }], failures: [] },
      { zoneTag: second.zoneId, total: [{ count: 4 }], failures: [{ count: 1, by: { day: '2024-07-20' } }] },
    ].sort((one, other) => (one.zoneTag < other.zoneTag ? -1 : 1))
    const query = `query Many($tags: [String!], $failed: String = "deliveryFailed", $no: Boolean!) {
    viewer {
      zones(filter: { zoneTag_in: $tags }) { ...Counts }
    }
  }
  fragment Counts on zone {
    zoneTag
    total: emailSendingAdaptiveGroups(limit: 1) { count, dimensions @include(if: $no) { date } }
    ... on zone {
      failures: emailSendingAdaptiveGroups(filter: { status: $failed }, orderBy: [count_DESC, date_ASC]) {
        count
        by: dimensions { day: date, status @skip(if: true) }
      }
    }
  }
  query Other { viewer { zones { zoneTag } } }`
    const tags = [second.zoneId.toUpperCase(), domain.zoneId, domain.zoneId]
    const request = { query, variables: { tags, no: false }, operationName: 'Many' }
    assert.deepEqual(nodesOf(await world.graphql.answer(request, world.by)), byTag)

    const everything = '{ viewer { zones { zoneTag } } }'
    const all = byTag.map(({ zoneTag }) => ({ zoneTag }))
    assert.deepEqual(nodesOf(await world.ask(everything)), all)
    const page = '{ viewer { zones(filter: { zoneTag_gt: $after }, limit: 1) { zoneTag } } }'
    assert.deepEqual(nodesOf(await world.ask(page, { after: '' })), all.slice(0, 1))
    assert.deepEqual(nodesOf(await world.ask(page, { after: all[0]?.zoneTag })), all.slice(1))

    const account = `query ($accountTag: string!) {
    viewer {
      accounts(filter: { accountTag: $accountTag }) {
        accountTag
        emailSendingAdaptiveGroups(filter: { status: "delivered" }, orderBy: [zoneTag_DESC]) {
          count
          dimensions { zoneTag }
        }
        emailSendingAdaptive(filter: { status: "deliveryFailed" }) { zoneTag from }
      }
    }
  }`
    const { accountId } = domain
    assert.deepEqual(nodesOf(await world.ask(account, { accountTag: accountId }), 'accounts'), [
      {
        accountTag: accountId,
        emailSendingAdaptiveGroups: byTag
          .map(({ zoneTag }) => ({ count: 1, dimensions: { zoneTag } }))
          .toReversed(),
        emailSendingAdaptive: [{ zoneTag: second.zoneId, from: 'news@two.example' }],
      },
    ])
    assert.deepEqual(
      nodesOf(await world.ask(account, { accountTag: accountId.toUpperCase() }), 'accounts').length,
      1,
    )
  },
)

onBothEngines('what is another’s answers as what does not exist', async (_t, open) => {
  await using world = await queryWorld(open)
  const { domain, foreign } = world
  await world.happen(eventsOf(foreign).sent('2024-07-20T00:00:00Z', 'delivered'))
  const none = 'f'.repeat(32)
  const told = async (query: string, tag: string) => {
    const { status, body } = await world.ask(query, { tag })
    const text = JSON.stringify(body).replaceAll(tag, 'TAG')
    return { status, text: text.replaceAll(/"ray_id":"[0-9a-f]{16}"/g, '') }
  }
  const zones = 'query ($tag: string!) { viewer { zones(filter: { zoneTag: $tag }) { zoneTag } } }'
  const accounts =
    'query ($tag: string!) { viewer { accounts(filter: { accountTag: $tag }) { accountTag } } }'
  assert.deepEqual(await told(zones, foreign.zoneId), await told(zones, none))
  assert.deepEqual(await told(accounts, foreign.accountId), await told(accounts, none))

  const both = '{ viewer { zones(filter: { zoneTag_in: $tags }) { emailSendingAdaptive { to } } } }'
  const { status, body } = await world.ask(both, { tags: [domain.zoneId, foreign.zoneId] })
  assert.equal(status, 403)
  assert.equal(body.data, null)
  const [error, ...more] = body.errors ?? []
  assert.deepEqual(more, [])
  assert.match(error?.extensions.ray_id ?? '', /^[0-9a-f]{16}$/)
  assert.deepEqual(
    { ...error, extensions: { ...error?.extensions, ray_id: '' } },
    {
      message: `zones [${foreign.zoneId}] are not authorized`,
      path: ['viewer', 'zones'],
      locations: [{ line: 1, column: 12 }],
      extensions: { code: 'authz', timestamp: '2024-07-31T12:00:00.000Z', ray_id: '' },
    },
  )
  const account = await world.ask(accounts, { tag: foreign.accountId })
  assert.deepEqual(
    [account.status, account.body.errors?.[0]?.message],
    [403, 'not authorized for that account'],
  )
  // A filter on a dataset leads no further than the node that it is under.
  const around = `{ viewer { accounts(filter: { accountTag: $account }) {
    emailSendingAdaptive(filter: { OR: [{ zoneTag: $tag }, { zoneTag_neq: $tag }] }) { to }
  } } }`
  const answer = await world.ask(around, { account: domain.accountId, tag: foreign.zoneId })
  assert.deepEqual(nodesOf(answer, 'accounts'), [{ emailSendingAdaptive: [] }])
  const lacking = { ...askerOf([]), owner: 'me', reach: async () => ({ kind: 'lacking' as const }) }
  for (const query of [zones, accounts]) {
    const refused = await world.graphql.answer({ query, variables: { tag: none } }, lacking)
    assert.equal(refused.status, 403)
    assert.match(refused.body.errors?.[0]?.message ?? '', /authorized.*lacks the permission "Analytics:Read"/)
  }
})

onBothEngines('the days that are kept, with and without bounds', async (_t, open) => {
  await using world = await queryWorld(open)
  const { sent } = eventsOf(world.domain)
  await world.happen([
    ...sent('2024-06-29T23:59:59Z', 'delivered'),
    ...sent('2024-06-30T00:00:00Z', 'delivered'),
    ...sent('2024-07-31T11:00:00Z', 'delivered'),
  ])
  const query = `query ($filter: ZoneEmailSendingAdaptiveGroupsFilter_InputObject) {
    viewer { zones(limit: 10) { emailSendingAdaptiveGroups(filter: $filter, orderBy: date_ASC) { count dimensions { date } } } }
  }`
  const dates = async (filter?: object) => {
    const nodes = nodesOf(await world.ask(query, { filter }))
    return nodes.flatMap((node) =>
      (node['emailSendingAdaptiveGroups'] as readonly { dimensions: { date: string } }[]).map(
        ({ dimensions }) => dimensions.date,
      ),
    )
  }
  assert.deepEqual(await dates(), ['2024-06-30', '2024-07-31'])
  assert.deepEqual(await dates({ date_geq: '2024-06-30' }), ['2024-06-30', '2024-07-31'])
  assert.deepEqual(await dates({ date_leq: '2024-07-01' }), ['2024-06-30'])
  assert.deepEqual(await dates({ date_geq: '2030-01-01' }), [])
  const old = [
    { date_geq: '2024-06-29' },
    { date: '2024-06-29' },
    { datetime_gt: '2024-06-29T23:59:59Z' },
    { datetimeHour_in: ['2024-07-01T00:00:00Z', '2024-06-01T00:00:00Z'] },
    { OR: [{ date_geq: '2024-07-01' }, { date_geq: '1970-01-01' }] },
    { date_geq: '0001-01-01' },
  ]
  for (const filter of old) {
    const { status, body } = await world.ask(query, { filter })
    assert.equal(status, 400, JSON.stringify(filter))
    assert.match(
      body.errors?.[0]?.message ?? '',
      /^cannot request data older than 4w3d, but your query requests data from \w+ ago; the oldest day that is kept is 2024-06-30$/,
    )
    assert.deepEqual(body.errors?.[0]?.path, ['viewer', 'zones', '0', 'emailSendingAdaptiveGroups'])
    assert.equal(body.errors?.[0]?.extensions.code, 'quota')
  }
  const settings =
    '{ viewer { zones(limit: 1) { settings { emailSendingAdaptive { enabled maxDuration maxNumberOfFields maxPageSize notOlderThan } } } } }'
  assert.deepEqual(nodesOf(await world.ask(settings)), [
    {
      settings: {
        emailSendingAdaptive: {
          ...{ enabled: true, maxDuration: 2_678_400, maxNumberOfFields: 30 },
          ...{ maxPageSize: 10_000, notOlderThan: 2_678_400 },
        },
      },
    },
  ])
})
