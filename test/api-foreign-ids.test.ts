import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PERMISSIONS } from '#model/permission.ts'
import { type ApiOperation, OPERATIONS, pathWith } from '#test/api-operations.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type EveryObject, everyObject, withAccount } from '#test/every-object.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { addSecondAccount, addUserToken } from '#test/second-account.ts'

/** Accounts never see each other: whatever is another's answers as what does not exist, octet for octet, whoever asks and
 *  whatever they may do in an account of their own. Tried for every operation that the document has. */
let instance: Instance
let theirs: EveryObject
let ours: Readonly<Record<string, string>>
/** The same account's, with a queue, a webhook and an event subscription of its own. */
let owned: Readonly<Record<string, string>>
/** Of another account, and of a user who is a member of that one alone: both may do everything there. */
let secrets: Readonly<Record<'account', string> & Record<'user', string>>

before(async () => {
  instance = await startInstance()
  theirs = await everyObject(instance)
  const { accountId, token } = addSecondAccount(instance.directory, PERMISSIONS)
  secrets = {
    account: token,
    user: addUserToken(instance.directory, [accountId], { permissions: PERMISSIONS }),
  }
  const zone = await ask('POST', '/client/v4/zones', { secret: token, body: { name: 'second.example' } })
  ours = { account_id: accountId, zone_id: JSON.parse(zone.text).result.id }
  owned = { ...ours, ...(await listening(ours)) }
})
after(async () => instance[Symbol.asyncDispose]())

/** What the second account is told by: nothing, for no mail of its domain ever goes out. */
async function listening(of: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const make = async (path: string, body: object) => {
    const { status, text } = await ask('POST', `/client/v4${path}`, { secret: secrets.account, body })
    assert.equal(status, 200, text)
    return JSON.parse(text).result
  }
  const account = `/accounts/${of['account_id']}`
  await make(`/zones/${of['zone_id']}/email/sending/subdomains`, { name: 'second.example' })
  const { queue_id } = await make(`${account}/queues`, { queue_name: 'second' })
  const { id: webhook_id } = await make(`${account}/email/webhooks`, {
    url: 'https://localhost:65535/second',
  })
  const { id: subscription_id } = await make(`${account}/event_subscriptions/subscriptions`, {
    source: { type: 'email.sending', zone_id: of['zone_id'], domain: 'second.example' },
    ...{ destination: { type: 'queues.queue', queue_id }, events: ['message.bounced'] },
  })
  return { queue_id, webhook_id, subscription_id }
}

interface Asked {
  readonly secret: string
  readonly body?: unknown
  readonly type?: string
}

/** The answer as it came, without what is of its moment. */
async function ask(method: string, path: string, { secret, body, type = 'application/json' }: Asked) {
  const response = await checkedFetch(`${instance.dev.dashboard}${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, ...(body !== undefined && { 'content-type': type }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const headers = [...response.headers].filter(([name]) => name !== 'date')
  return { status: response.status, headers, text: await response.text() }
}

function askFor(operation: ApiOperation, value: (parameter: string) => string, secret: string) {
  const { method, example } = operation
  const sent = example && { body: withAccount(example.body, ours['account_id'] ?? ''), type: example.type }
  return ask(method, pathWith(operation, value), { secret, ...sent })
}

/** Ids that nobody has, in the form of those that somebody has. */
const NOBODYS: Readonly<Record<string, string>> = {
  suppression_id: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
  message_id: `<${'f'.repeat(32)}@yourdomain.com>`,
}
const nobodys = (parameter: string) => NOBODYS[parameter] ?? 'f'.repeat(32)

const ofAccounts = OPERATIONS.filter(({ base }) => base === '/client/v4')
/** What is not there is made by its name. */
const MAKES: ReadonlySet<string> = new Set(['workers.scripts.update'])
const isScope = (parameter: string) => parameter === 'account_id' || parameter === 'zone_id'

for (const operation of ofAccounts.filter(({ parameters }) => parameters.length > 0)) {
  const { id, parameters, documented } = operation
  for (const kind of ['account', 'user'] as const) {
    test(`${id}, asked with the token of another ${kind}`, async () => {
      const foreign = (parameter: string) => theirs.id(parameter, operation)
      const [whole, none] = await Promise.all([
        askFor(operation, foreign, secrets[kind]),
        askFor(operation, nobodys, secrets[kind]),
      ])
      // An account's token is nobody's who could have such a thing.
      const isUsers = documented['x-scope'] === 'user' && kind === 'account'
      assert.equal(none.status, isUsers ? 403 : 404, none.text)
      assert.deepEqual(whole, none)
      if (!parameters.some(isScope) || parameters.every(isScope)) return
      if (MAKES.has(id)) return
      // In an account or a zone of one's own, with the other's things in it.
      const within = (inner: (parameter: string) => string) => (parameter: string) =>
        ours[parameter] ?? inner(parameter)
      const [mixed, unknown] = await Promise.all([
        askFor(operation, within(foreign), secrets[kind]),
        askFor(operation, within(nobodys), secrets[kind]),
      ])
      assert.equal(unknown.status, 404, unknown.text)
      assert.deepEqual(mixed, unknown)
    })
  }
}

test('what is listed over all accounts has nothing of another’s in it', async () => {
  const lists = ofAccounts.filter(({ method, parameters }) => method === 'GET' && parameters.length === 0)
  assert.ok(lists.length >= 6)
  for (const operation of lists) {
    for (const secret of Object.values(secrets)) {
      const { text } = await askFor(operation, nobodys, secret)
      for (const id of theirs.own) assert.ok(!text.includes(id), `${operation.id} shows ${id}`)
    }
  }
})

/** Ids and names that are not in the path. A sender's domain is not among them: which domains this service holds is in
 *  public DNS, and who sends as one that is another's hears that it is (E_SENDER_NOT_VERIFIED). `{}` stands for what is another's in one request and nobody's in the other. */
const ELSEWHERE: readonly {
  readonly what: string
  readonly theirs: () => string
  readonly nobodys: string
  readonly method?: string
  readonly path: string
  readonly body?: unknown
}[] = [
  {
    what: 'zones of an account',
    ...{ theirs: () => instance.dev.account_id, nobodys: 'f'.repeat(32) },
    path: '/zones?account.id={}',
  },
  {
    what: 'a zone in an account',
    ...{ theirs: () => instance.dev.account_id, nobodys: 'f'.repeat(32) },
    ...{ method: 'POST', path: '/zones', body: { name: 'new.example', account: { id: '{}' } } },
  },
  {
    what: 'a zone by its name',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    path: '/zones?name={}',
  },
  {
    what: 'the smarthost of a domain',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    path: '/accounts/{account_id}/email/sending/smarthost?domain={}',
  },
  {
    what: 'a catch-all',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    path: '/zones/{zone_id}/email/routing/rules/catch_all?subdomain={}',
  },
  {
    what: 'routing records',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    path: '/zones/{zone_id}/email/routing/dns?subdomain={}',
  },
  {
    what: 'an MTA-STS policy',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    path: '/zones/{zone_id}/email/routing/mta_sts?subdomain={}',
  },
  {
    what: 'a message',
    theirs: () => theirs.id('message_id', ofAccounts[0] ?? assert.fail()),
    nobodys: NOBODYS['message_id'] ?? '',
    path: '/accounts/{account_id}/email/sending/messages?message_id={}',
  },
  {
    what: 'a line of the audit log by the name of its zone',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    path: '/accounts/{account_id}/audit_logs?zone.name={}',
  },
  {
    what: 'a destination that somebody else verified',
    ...{ theirs: () => 'me@example.com', nobodys: 'no@example.com' },
    method: 'POST',
    path: '/zones/{zone_id}/email/routing/rules',
    body: {
      matchers: [{ type: 'literal', field: 'to', value: 'x@second.example' }],
      actions: [{ type: 'forward', value: ['{}'] }],
    },
  },
  {
    what: 'the queue of an event subscription to be',
    ...{ theirs: queueOfTheirs, nobodys: 'f'.repeat(32) },
    method: 'POST',
    path: '/accounts/{account_id}/event_subscriptions/subscriptions',
    body: {
      source: { type: 'email.sending', zone_id: '{zone_id}', domain: 'second.example' },
      destination: { type: 'queues.queue', queue_id: '{}' },
      events: ['message.delivered'],
    },
  },
  {
    what: 'the queue of an event subscription that is there',
    ...{ theirs: queueOfTheirs, nobodys: 'f'.repeat(32) },
    method: 'PATCH',
    path: '/accounts/{account_id}/event_subscriptions/subscriptions/{subscription_id}',
    body: { destination: { type: 'queues.queue', queue_id: '{}' } },
  },
  {
    what: 'event subscriptions of a queue',
    ...{ theirs: queueOfTheirs, nobodys: 'f'.repeat(32) },
    path: '/accounts/{account_id}/event_subscriptions/subscriptions?queue_id={}',
  },
  ...(['yourdomain.com', 'second.example'] as const).map((domain) => ({
    what: `the zone of an event subscription to ${domain}`,
    ...{ theirs: () => instance.dev.zone_id, nobodys: 'f'.repeat(32) },
    method: 'POST',
    path: '/accounts/{account_id}/event_subscriptions/subscriptions',
    body: {
      source: { type: 'email.sending', zone_id: '{}', domain },
      destination: { type: 'queues.queue', queue_id: '{queue_id}' },
      events: ['message.delivered'],
    },
  })),
  {
    what: 'the domain of an event subscription',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    method: 'POST',
    path: '/accounts/{account_id}/event_subscriptions/subscriptions',
    body: {
      source: { type: 'email.sending', zone_id: '{zone_id}', domain: '{}' },
      destination: { type: 'queues.queue', queue_id: '{queue_id}' },
      events: ['message.delivered'],
    },
  },
  {
    what: 'the domain of a webhook to be',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    ...{ method: 'POST', path: '/accounts/{account_id}/email/webhooks' },
    body: { url: 'https://localhost:65535/second', domains: ['second.example', '{}'] },
  },
  {
    what: 'the domain of a webhook that is there',
    ...{ theirs: () => 'yourdomain.com', nobodys: 'nobodysown.com' },
    ...{ method: 'PATCH', path: '/accounts/{account_id}/email/webhooks/{webhook_id}' },
    body: { domains: ['{}'] },
  },
  {
    what: 'what a webhook was told',
    theirs: () => theirs.id('webhook_delivery_id', ofAccounts[0] ?? assert.fail()),
    nobodys: 'f'.repeat(32),
    path: '/accounts/{account_id}/email/webhooks/{webhook_id}/deliveries/{}',
  },
  {
    what: 'the zone that a question to GraphQL is about',
    ...{ theirs: () => instance.dev.zone_id, nobodys: 'f'.repeat(32) },
    ...{ method: 'POST', path: '/graphql' },
    body: {
      query: '{ viewer { zones(filter: { zoneTag: "{}" }) { emailSendingAdaptiveGroups { count } } } }',
    },
  },
  {
    what: 'the account that a question to GraphQL is about',
    ...{ theirs: () => instance.dev.account_id, nobodys: 'f'.repeat(32) },
    ...{ method: 'POST', path: '/graphql' },
    body: {
      query: '{ viewer { accounts(filter: { accountTag: "{}" }) { emailSendingAdaptiveGroups { count } } } }',
    },
  },
]

function queueOfTheirs(): string {
  return theirs.id('queue_id', ofAccounts[0] ?? assert.fail())
}

for (const { what, method = 'GET', path, body, ...ids } of ELSEWHERE) {
  test(`${what}: another’s as nobody’s`, async () => {
    const sent = async (id: string) => {
      const encoded = encodeURIComponent(id)
      const named = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => owned[name] ?? '')
      const placed = named(path.replace('{}', encoded))
      const filled: unknown =
        body === undefined ? undefined : JSON.parse(named(JSON.stringify(body)).replaceAll('{}', id))
      const answer = await ask(method, `/client/v4${placed}`, { secret: secrets.account, body: filled })
      // The words say what was asked for; its length is the same. Those of GraphQL say when besides.
      const text = answer.text.replace(/"timestamp":"[^"]+","ray_id":"\w+"/, '').replaceAll(id, '{}')
      return { ...answer, text }
    }
    assert.deepEqual(await sent(ids.theirs()), await sent(ids.nobodys))
  })
}

test('nothing of it was changed, removed or shown along the way', async () => {
  for (const operation of ofAccounts.filter(
    ({ method, parameters }) => method === 'GET' && parameters.length > 0,
  )) {
    if (operation.id === 'deliverability.get' || operation.id === 'smarthost.get') continue
    const value = (parameter: string) => theirs.id(parameter, operation)
    const { status, text } = await askFor(operation, value, theirs.secretFor(operation))
    assert.equal(status, 200, `${operation.id}: ${text}`)
  }
})
