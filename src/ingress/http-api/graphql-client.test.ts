import assert from 'node:assert/strict'
import { Client, fetchExchange } from '@urql/core'
import {
  buildClientSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isObjectType,
  parse,
  validate,
} from 'graphql'
import { openGraphqlDoor } from '#test/graphql-door.ts'
import { PAGE_QUERIES } from '#test/page-queries.ts'
import { eventsOf } from '#test/query-world.ts'
import { onBothEngines } from '#test/stores.ts'

/** A client that knows GraphQL and nothing of this service. */
onBothEngines('urql reads the schema, and asks by it', async (_t, open) => {
  await using door = await openGraphqlDoor(open)
  const { domain, foreign } = door.world
  await door.world.happen(eventsOf(domain).sent('2024-07-20T00:00:00Z', 'delivered'))
  const { secret } = await door.accounts.createToken(domain.accountId, {
    ...{ name: 'reader', permissions: ['Analytics:Read'] },
  })
  const client = new Client({
    url: door.url,
    exchanges: [fetchExchange],
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${secret}` } },
  })
  const introspection = await client.query<IntrospectionQuery>(getIntrospectionQuery(), {})
  const schema = buildClientSchema(introspection.data ?? assert.fail(String(introspection.error)))

  for (const { name, query, variables } of PAGE_QUERIES) {
    assert.deepEqual(validate(schema, parse(query)), [], name)
    const answer = await client.query<{ viewer: { zones: readonly object[] } }>(query, {
      zoneTag: domain.zoneId,
      ...variables,
    })
    assert.equal(answer.data?.viewer.zones.length, 1, name)
  }

  const dimensions = schema.getType('ZoneEmailSendingAdaptiveGroupsDimensions')
  assert.ok(isObjectType(dimensions))
  // The table of observability-metrics-graphql.md.
  assert.deepEqual(
    Object.values(dimensions.getFields()).map(({ name, type }) => `${name} ${String(type).replace('!', '')}`),
    [
      ...['date Date', 'datetime Time', 'datetimeMinute Time', 'datetimeFiveMinutes Time'],
      ...['datetimeFifteenMinutes Time', 'datetimeHour Time', 'status string', 'eventType string'],
      ...['sendingDomain string', 'envelopeTo string', 'errorCause string', 'arc string', 'dkim string'],
      ...['dmarc string', 'spf string', 'isSpam uint8', 'isNDR uint8', 'isLastEvent uint8'],
    ],
  )
  const routing = schema.getType('ZoneEmailRoutingAdaptive')
  assert.ok(isObjectType(routing))
  assert.deepEqual(Object.keys(routing.getFields()).slice(6), [
    ...['status', 'eventType', 'action', 'ruleMatched', 'arc', 'dkim', 'dmarc', 'spf', 'isSpam', 'isNDR'],
    ...['isLastEvent', 'from', 'to', 'subject', 'messageId', 'sessionId', 'errorDetail'],
  ])
  const filter = schema.getType('ZoneEmailSendingAdaptiveGroupsFilter_InputObject')
  assert.ok(isInputObjectType(filter))
  const keys = Object.keys(filter.getFields())
  for (const key of [
    'status',
    'status_geq',
    'status_leq',
    'status_gt',
    'status_lt',
    'status_neq',
    'status_in',
  ])
    assert.ok(keys.includes(key), key)
  for (const key of ['status_notin', 'status_like', 'date_geq', 'isSpam_in', 'AND', 'OR'])
    assert.ok(keys.includes(key), key)
  assert.ok(!keys.includes('date_like'))
  const order = schema.getType('ZoneEmailSendingAdaptiveGroupsOrderBy')
  assert.ok(isEnumType(order))
  for (const name of ['date_DESC', 'datetimeHour_ASC', 'count_DESC']) assert.ok(order.getValue(name), name)

  const zone = 'query ($tag: string!) { viewer { zones(filter: { zoneTag: $tag }) { zoneTag } } }'
  const { error } = await client.query(zone, { tag: foreign.zoneId })
  const [refusal] = error?.graphQLErrors ?? []
  assert.equal(refusal?.message, `zones [${foreign.zoneId}] are not authorized`)
  assert.equal(refusal?.extensions['code'], 'authz')
  assert.equal(error?.response?.status, 403)
})
