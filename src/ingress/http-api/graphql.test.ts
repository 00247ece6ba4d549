import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAnswerRoom } from '#analytics/graphql/answer-room.ts'
import { queryGraphql } from '#contract/graphql.ts'
import type { Permission } from '#model/permission.ts'
import { PERMISSIONS } from '#model/permission.ts'
import type { Policy } from '#registry/accounts/policy.ts'
import { parseResources } from '#registry/accounts/resource.ts'
import { openGraphqlDoor } from '#test/graphql-door.ts'
import { PAGE_QUERIES } from '#test/page-queries.ts'
import { eventsOf } from '#test/query-world.ts'
import { until } from '#test/queue-world.ts'
import { type OpenStore, onBothEngines, openTestStore } from '#test/stores.ts'

const ZONE =
  'query ($tag: string!) { viewer { zones(filter: { zoneTag: $tag }) { zoneTag emailSendingAdaptiveGroups { count } } } }'
const ACCOUNT =
  'query ($tag: string!) { viewer { accounts(filter: { accountTag: $tag }) { emailSendingAdaptiveGroups { count } } } }'
const ZONES = '{ viewer { zones { zoneTag } } }'

function policyOver(key: string, permissions: readonly Permission[] = ['Analytics:Read']): Policy {
  const written = { [`com.cloudflare.api.account.${key}`]: '*' }
  const parsed = parseResources(written)
  assert.ok(parsed.ok)
  return { id: 'p', effect: 'allow', permissions, written, resources: parsed.resources }
}

onBothEngines('GraphQL over HTTP: the page’s queries, and the shape of what is said', async (_t, open) => {
  await using door = await openGraphqlDoor(open)
  const { domain } = door.world
  await door.world.happen(eventsOf(domain).sent('2024-07-20T00:00:00Z', 'delivered'))
  const { secret } = await door.accounts.createToken(domain.accountId, {
    ...{ name: 'reader', permissions: ['Analytics:Read'] },
  })
  for (const { query, variables } of PAGE_QUERIES) {
    const { status, headers, body } = await door.post(secret, {
      query,
      variables: { zoneTag: domain.zoneId, ...variables },
    })
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
    assert.deepEqual(Object.keys(body), ['data', 'errors'])
    assert.equal(body.errors, null)
    assert.equal(body.data?.viewer['zones']?.length, 1)
    queryGraphql.result.parse(body)
  }
  const wrong = await door.post(secret, {
    query: '{ viewer { nothing } }',
    variables: null,
    operationName: null,
  })
  assert.equal(wrong.status, 400)
  assert.match(wrong.body.errors?.[0]?.message ?? '', /Cannot query field "nothing" on type "viewer"/)
  assert.equal(wrong.body.data, null)
  queryGraphql.result.parse(wrong.body)
  // What is no request at all has the envelope.
  for (const body of ['{', '{"query": 5}', '[]', '{"query": "{ a }", "query": "{ b }"}']) {
    const refused = await door.post(secret, body)
    assert.deepEqual([refused.status, refused.body.errors?.[0]?.code], [400, 1001], body)
  }
})

onBothEngines('GraphQL over HTTP: who may ask, and about what', async (_t, open) => {
  await using door = await openGraphqlDoor(open)
  const { domain, second, foreign } = door.world
  const { accounts } = door
  await door.world.happen(
    [domain, second, foreign].flatMap((each) => eventsOf(each).sent('2024-07-20T00:00:00Z', 'delivered')),
  )
  const told = async (secret: string | undefined, query: string, tag?: string) => {
    const { status, body } = await door.post(secret, { query, variables: { tag } })
    const { viewer } = body.data ?? {}
    return viewer ? (viewer['zones'] ?? viewer['accounts']) : [status, body.errors?.[0]?.message]
  }
  const token = async (accountId: string, ...policies: readonly Policy[]) =>
    (await accounts.createToken(accountId, { name: 't', permissions: [], policies })).secret

  const { accountId } = domain
  const zoneIds = [domain.zoneId, second.zoneId].sort()
  const whole = await token(accountId, policyOver(accountId))
  const counted = (zoneTag: string) => [{ zoneTag, emailSendingAdaptiveGroups: [{ count: 2 }] }]
  assert.deepEqual(await told(whole, ZONE, domain.zoneId), counted(domain.zoneId))
  assert.deepEqual(await told(whole, ZONE, domain.zoneId.toUpperCase()), counted(domain.zoneId))
  assert.deepEqual(await told(whole, ACCOUNT, accountId), [{ emailSendingAdaptiveGroups: [{ count: 4 }] }])
  assert.deepEqual(
    await told(whole, ZONES),
    zoneIds.map((zoneTag) => ({ zoneTag })),
  )
  assert.deepEqual(await told(whole, ZONE, foreign.zoneId), [
    403,
    `zones [${foreign.zoneId}] are not authorized`,
  ])
  assert.deepEqual(await told(whole, ACCOUNT, foreign.accountId), [403, 'not authorized for that account'])
  assert.deepEqual(await told(whole, ACCOUNT, 'f'.repeat(32)), [403, 'not authorized for that account'])

  const oneZone = await token(accountId, policyOver(`zone.${second.zoneId}`))
  assert.deepEqual(await told(oneZone, ZONES), [{ zoneTag: second.zoneId }])
  assert.deepEqual(await told(oneZone, ZONE, second.zoneId), counted(second.zoneId))
  assert.deepEqual(await told(oneZone, ZONE, domain.zoneId), [
    403,
    `zones [${domain.zoneId}] are not authorized`,
  ])
  const lacks = 'the API token lacks the permission "Analytics:Read"'
  assert.deepEqual(await told(oneZone, ACCOUNT, accountId), [
    403,
    `not authorized for that account: ${lacks}`,
  ])
  const other = policyOver(accountId, ['Email Sending:Read'])
  const mixed = await token(accountId, other, policyOver(`zone.${second.zoneId}`))
  assert.deepEqual(await told(mixed, ZONE, domain.zoneId), [
    403,
    `zones [${domain.zoneId}] are not authorized: ${lacks}`,
  ])

  const user = await accounts.createUser('me@example.com')
  await accounts.addMember(accountId, user.id)
  await accounts.addMember(foreign.accountId, user.id)
  const ofUser = await accounts.createUserToken(user.id, { name: 'u', permissions: ['Analytics:Read'] })
  assert.deepEqual(
    await told(ofUser.secret, ZONES),
    [...zoneIds, foreign.zoneId].sort().map((zoneTag) => ({ zoneTag })),
  )
  assert.deepEqual(await told(ofUser.secret, ZONE, foreign.zoneId), counted(foreign.zoneId))

  const without = PERMISSIONS.filter((name) => !name.startsWith('Analytics'))
  const nothing = await accounts.createToken(accountId, { name: 'n', permissions: without })
  for (const query of [ZONES, '{ __schema { types { name } } }', '{']) {
    const { status, body } = await door.post(nothing.secret, { query })
    assert.deepEqual([status, body.errors?.[0]?.code], [403, 9109])
  }
  assert.equal((await door.post(undefined, { query: ZONES })).status, 401)
  assert.equal((await door.post('x'.repeat(40), { query: ZONES })).status, 401)
})

test('GraphQL over HTTP: where history cannot be read, that too has GraphQL’s shape', async () => {
  await using open = await openTestStore('sqlite')
  await using door = await openGraphqlDoor(open)
  const { domain } = door.world
  await door.world.happen(eventsOf(domain).sent('2024-07-20T00:00:00Z', 'delivered'))
  const wish = { name: 'r', permissions: ['Analytics:Read'] as const }
  const { secret } = await door.accounts.createToken(domain.accountId, wish)
  const file = new DatabaseSync(join(open.directory, 'history', 'posthorn.sqlite'))
  file.exec('pragma busy_timeout = 5000; alter table history_count rename to lost')
  file.close()
  const { status, body } = await door.post(secret, { query: ACCOUNT, variables: { tag: domain.accountId } })
  assert.deepEqual([status, body.data], [500, null])
  const { errors } = queryGraphql.result.parse(body)
  assert.deepEqual(
    errors?.map(({ message, extensions }) => [message, extensions.code]),
    [['the query could not be answered, please try again later', 'internal']],
  )
})

onBothEngines('GraphQL over HTTP: too many at once', async (_t, open) => {
  await using door = await openGraphqlDoor(open)
  const { accountId } = door.world.domain
  const { secret } = await door.accounts.createToken(accountId, {
    name: 'r',
    permissions: ['Analytics:Read'],
  })
  const query = '{ viewer { zones { emailSendingAdaptiveGroups { count } } } }'
  const answers = await Promise.all(Array.from({ length: 80 }, () => door.post(secret, { query })))
  const busy = answers.filter(({ status }) => status === 429)
  assert.ok(answers.every(({ status }) => status === 200 || status === 429))
  for (const { headers, body } of busy) {
    assert.equal(headers.get('retry-after'), '5')
    queryGraphql.result.parse(body)
  }
  assert.equal((await door.post(secret, { query })).status, 200)
})

/** Some 15 MB, more than lies between two sockets. */
async function openLongAnswers(open: OpenStore, more: Parameters<typeof openGraphqlDoor>[1]) {
  const door = await openGraphqlDoor(open, more)
  const { domain } = door.world
  const subject = '漢'.repeat(990)
  const happen = () => eventsOf(domain).sent('2024-07-20T00:00:00Z', 'delivered', { subject })
  await door.world.happen(Array.from({ length: 50 }, happen).flat())
  const { secret } = await door.accounts.createToken(domain.accountId, {
    name: 'r',
    permissions: ['Analytics:Read'],
  })
  const datasets = Array.from({ length: 50 }, (_, n) => `a${n}: emailSendingAdaptive { subject }`)
  const query = `{ viewer { zones(filter: { zoneTag: "${domain.zoneId}" }) { ${datasets.join(' ')} } } }`
  async function unread(): Promise<IncomingMessage> {
    const asked = request(door.url, { method: 'POST', headers: { authorization: `Bearer ${secret}` } })
    asked.end(JSON.stringify({ query }))
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return response.on('error', () => {})
  }
  return { door, secret, unread }
}

test('who does not read the answers gets no more of them', async () => {
  await using open = await openTestStore('sqlite')
  const room = openAnswerRoom({ ofOwner: 15 * 1_048_576 })
  const { door, secret, unread } = await openLongAnswers(open, { room })
  await using _door = door
  const answers = [await unread(), await unread()]
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200],
  )
  const refused = await door.post(secret, { query: ZONES })
  assert.deepEqual(
    [refused.status, refused.body.errors?.[0]?.message],
    [429, 'too many answers wait to be read, please try again later'],
  )
  answers[0]?.destroy()
  const taken = await until(async () => {
    const { status } = await door.post(secret, { query: ZONES })
    return status === 200 ? true : undefined
  })
  assert.ok(taken)
  for (const answer of answers) answer.destroy()
})

test('an answer that is not read within its time is taken back', async () => {
  await using open = await openTestStore('sqlite')
  const { door, unread } = await openLongAnswers(open, { readMs: 100 })
  await using _door = door
  const answer = await unread()
  // Only who reads on learns of it.
  await sleep(500)
  await assert.rejects(once(answer.resume(), 'end'), /aborted/)
})
