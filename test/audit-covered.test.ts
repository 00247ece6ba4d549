import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type Cloudflare from 'cloudflare'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { askOperator } from '#test/operator.ts'
import { sdkClient } from '#test/sdk-client.ts'

/** Every change that the page about audit logs names leaves its line, and so do those of suppressions that nobody asked
 *  for. */
let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance()
  client = sdkClient(instance.dev)
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })
const zone = () => ({ zone_id: instance.dev.zone_id })

interface Line {
  readonly id: string
  readonly action: { readonly type: string }
  readonly actor: { readonly type: string; readonly ip?: string }
  readonly resource: { readonly type: string; readonly id: string }
  readonly metadata: { readonly token_id?: string }
  readonly oldValueJson: Record<string, unknown> | null
  readonly newValueJson: Record<string, unknown> | null
}

async function fetched(path: string): Promise<Response> {
  const { api, account_id, api_token } = instance.dev
  const headers = { authorization: `Bearer ${api_token}` }
  return fetch(`${api}/accounts/${account_id}/audit_logs${path}`, { headers })
}

const RELAY = {
  host: 'relay.example.com',
  tls: 'implicit',
  username: 'us',
  password: 'the-password-of-the-relay',
}

/** What no SDK has a method for. */
async function ask(method: string, path: string, body?: object): Promise<void> {
  const { api, account_id, api_token } = instance.dev
  await checkedFetch(`${api}/accounts/${account_id}${path}`, {
    method,
    headers: { authorization: `Bearer ${api_token}` },
    ...(body && { body: JSON.stringify(body) }),
  })
}

/** As the API shows them, the latest first. */
async function lines(query = ''): Promise<readonly Line[]> {
  const answer = JSON.parse(await (await fetched(`?per_page=1000${query}`)).text())
  assert.equal(answer.success, true, JSON.stringify(answer.errors))
  return answer.result
}

/** What an action leaves: lines that were not there before. */
async function left(act: () => Promise<unknown>): Promise<readonly Line[]> {
  const before = new Set((await lines()).map(({ id }) => id))
  await act()
  return (await lines()).filter(({ id }) => !before.has(id))
}

const made = new Map<string, string>()
const id = (name: string) => made.get(name) ?? assert.fail(`${name} was not made`)
const keep = (name: string, value: string | undefined) => void made.set(name, value ?? '')
const to = (value: string) => [{ type: 'literal' as const, field: 'to' as const, value }]
const drop = [{ type: 'drop' as const }]

/** The page's own list, in its words; each item with what does it and the lines that it leaves. They run in order. */
const COVERED: readonly (readonly [
  words: string,
  act: () => Promise<unknown>,
  actions: readonly string[],
])[] = [
  [
    'Add a routing rule',
    async () => {
      const rule = { ...zone(), matchers: to('u@yourdomain.com'), actions: drop }
      keep('rule', (await client.emailRouting.rules.create(rule)).id)
    },
    ['rule.create'],
  ],
  [
    'Edit a routing rule',
    () =>
      client.emailRouting.rules.update(id('rule'), {
        ...{ ...zone(), matchers: to('u@yourdomain.com'), actions: drop, enabled: false },
      }),
    ['rule.update'],
  ],
  ['Delete a routing rule', () => client.emailRouting.rules.delete(id('rule'), zone()), ['rule.delete']],
  [
    'Add a destination address',
    async () => {
      const address = await client.emailRouting.addresses.create({ ...account(), email: 'me@dest.example' })
      keep('address', address.id)
    },
    ['address.create'],
  ],
  [
    'Change the status of a destination address',
    () => client.emailRouting.addresses.edit(id('address'), { ...account(), status: 'verified' }),
    ['address.update'],
  ],
  [
    'Delete a destination address',
    () => client.emailRouting.addresses.delete(id('address'), account()),
    ['address.delete'],
  ],
  [
    'Update the catch-all rule',
    () =>
      client.emailRouting.rules.catchAlls.update({
        ...{ ...zone(), matchers: [{ type: 'all' }], actions: drop, enabled: true },
      }),
    ['catch_all.update'],
  ],
  ['Unlock the zone for Email Routing', () => client.emailRouting.unlock(zone()), ['routing.unlock']],
  ['Disable the zone for Email Routing', () => client.emailRouting.disable(zone()), ['routing.disable']],
  ['Enable the zone for Email Routing', () => client.emailRouting.enable(zone()), ['routing.enable']],
  [
    'Onboard a sending subdomain',
    async () => {
      const { subdomains } = client.emailSending
      keep('subdomain', (await subdomains.create({ ...zone(), name: 'news.yourdomain.com' })).tag)
    },
    ['sending_domain.onboard'],
  ],
  [
    'Edit a sending subdomain',
    () => client.emailSending.subdomains.edit(id('subdomain'), { ...zone(), preview_enabled: false }),
    ['sending_domain.update'],
  ],
  [
    'Remove a sending subdomain, which disables Email Sending on it',
    () => client.emailSending.subdomains.delete(id('subdomain'), zone()),
    ['sending_domain.remove'],
  ],
  [
    'Enable Email Sending on it again',
    () => client.emailSending.subdomains.create({ ...zone(), name: 'news.yourdomain.com' }),
    ['sending_domain.onboard'],
  ],
  [
    'Add an entry to the suppression list',
    async () => {
      const entry = { ...account(), email: 'no@example.com', note: 'asked to' }
      keep('entry', (await client.emailSending.suppressions.create(entry)).id)
    },
    ['suppression.create'],
  ],
  [
    'Add what is there already: nothing changes',
    () => client.emailSending.suppressions.create({ ...account(), email: 'no@example.com' }),
    [],
  ],
  [
    'Edit an entry',
    () => client.emailSending.suppressions.edit(id('entry'), { ...account(), note: 'asked twice' }),
    ['suppression.update'],
  ],
  [
    'Delete an entry',
    () => client.emailSending.suppressions.delete(id('entry'), account()),
    ['suppression.delete'],
  ],
  [
    'Add entries in bulk',
    () =>
      client.emailSending.suppressions.import({
        ...account(),
        items: ['a', 'b', 'a', '@'].map((name) => ({ email: `${name}@bulk.example` })),
      }),
    ['suppression.import'],
  ],
  [
    'A hard bounce adds one by itself',
    () =>
      instance.send({
        ...{ from: 'app@yourdomain.com', to: 'bounce+audit@simulator.posthorn.test' },
        ...{ subject: 's', text: 't' },
      }),
    ['suppression.create'],
  ],
  [
    'Set a smarthost, through which all mail goes then',
    () => ask('PUT', '/email/sending/smarthost', RELAY),
    ['smarthost.set'],
  ],
  [
    'Remove it; another time there is nothing to remove',
    async () => {
      await ask('DELETE', '/email/sending/smarthost')
      await ask('DELETE', '/email/sending/smarthost')
    },
    ['smarthost.remove'],
  ],
  [
    'The operator sets a quota',
    () =>
      askOperator(instance, 'PUT', `/accounts/${instance.dev.account_id}/quota`, {
        body: { mode: 'fixed', value: 1000 },
      }),
    ['account.quota'],
  ],
]

const seen = new Map<string, readonly Line[]>()
for (const [words, act, actions] of COVERED)
  test(words, async () => {
    const found = await left(act)
    seen.set(words, found)
    assert.deepEqual(
      found.map(({ action }) => action.type),
      actions,
    )
    for (const { action, actor, metadata, oldValueJson, newValueJson } of found) {
      const system = words.startsWith('A hard bounce') || words.startsWith('The operator')
      assert.equal(actor.type, system ? 'system' : 'token')
      assert.equal(actor.ip !== undefined && metadata.token_id !== undefined, !system)
      assert.ok(oldValueJson ?? newValueJson, `${action.type} says what it was or is`)
    }
  })

test('lines about suppressions say what was there and what is', () => {
  const [edited] = seen.get('Edit an entry') ?? []
  assert.deepEqual(edited?.resource, { type: 'suppression', id: id('entry') })
  assert.equal(edited?.oldValueJson?.['note'], 'asked to')
  assert.equal(edited?.newValueJson?.['note'], 'asked twice')
  const [bulk] = seen.get('Add entries in bulk') ?? []
  assert.equal(bulk?.newValueJson?.['count'], 2)
  assert.match(JSON.stringify(bulk.newValueJson), /"email":"a@bulk.example".*"email":"b@bulk.example"/)
  const [bounced] = seen.get('A hard bounce adds one by itself') ?? []
  const { email, reason } = bounced?.newValueJson ?? {}
  assert.deepEqual([email, reason], ['bounce+audit@simulator.posthorn.test', 'hard_bounce'])
})

test('lines about a smarthost say where mail went and where it goes', () => {
  const [set] = seen.get('Set a smarthost, through which all mail goes then') ?? []
  const { password: _, ...shown } = RELAY
  const facts = { scope: { type: 'account' }, ...shown, port: 465 }
  assert.deepEqual([set?.oldValueJson, set?.newValueJson], [null, facts])
  const [removed] = seen.get('Remove it; another time there is nothing to remove') ?? []
  assert.deepEqual([removed?.oldValueJson, removed?.newValueJson], [facts, null])
  assert.deepEqual(removed?.resource, { type: 'smarthost', id: instance.dev.account_id })
})

test('no line has a secret', async () => {
  const token = await client.accounts.tokens.create({
    ...account(),
    name: 'secretive',
    policies: [
      {
        effect: 'allow',
        permission_groups: [await firstGroup()],
        resources: { [`com.cloudflare.api.account.${instance.dev.account_id}`]: '*' },
      },
    ],
  })
  const rolled = await client.accounts.tokens.value.update(token.id ?? '', account())
  const all = await (await fetched('/export?format=ndjson')).text()
  for (const secret of [instance.dev.api_token, token.value ?? '', rolled, RELAY.password]) {
    assert.ok(secret.length > 20)
    assert.ok(!all.includes(secret))
  }
})

async function firstGroup(): Promise<{ id: string }> {
  for await (const group of client.accounts.tokens.permissionGroups.list(account()))
    return { id: group.id ?? '' }
  return assert.fail('there are permission groups')
}

test('the list is narrowed by the actor’s address, a range of them, action and time', async () => {
  const all = await lines()
  const own = all.filter(({ actor }) => actor.ip !== undefined)
  const count = async (query: string) => (await lines(query)).length
  const ip = own[0]?.actor.ip ?? ''
  const [one, half] = ip.includes(':') ? [`${ip}/128`, '::/1'] : [`${ip}/32`, '0.0.0.0/1']
  assert.equal(await count(`&actor.ip=${encodeURIComponent(ip)}`), own.length)
  assert.equal(await count(`&actor.ip=${encodeURIComponent(one)}`), own.length)
  assert.equal(await count(`&actor.ip=${encodeURIComponent(half)}`), own.length)
  assert.equal(await count('&actor.ip=192.0.2.0%2F24'), 0)
  assert.equal(await count('&action.type=suppression.create'), 2)
  assert.equal(await count('&since=2999-01-01'), 0)
  assert.equal(await count('&before=2999-01-01'), all.length)
  for (const bad of ['x', '1.2.3.4/33', '1.2.3']) {
    const refused = JSON.parse(await (await fetched(`?actor.ip=${encodeURIComponent(bad)}`)).text())
    assert.deepEqual([refused.errors[0].code, refused.errors[0].source.pointer], [1004, '?actor.ip'])
  }
})

test('the log is exported as CSV that runs nothing, and as one JSON object on each line', async () => {
  const { suppressions } = client.emailSending
  await suppressions.create({ ...account(), email: '=cmd@formula.example', note: '=1+1' })
  const csv = await fetched('/export')
  assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/)
  assert.equal(csv.headers.get('content-disposition'), 'attachment; filename="audit-log.csv"')
  const [header, ...rows] = (await csv.text()).trimEnd().split('\r\n')
  assert.match(header ?? '', /^id,when,action,actor_type,/)
  const all = await lines()
  assert.equal(rows.length, all.length)
  for (const cell of rows.join(',').split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/))
    assert.doesNotMatch(cell, /^"?[=+@-]/)

  const json = await fetched('/export?format=ndjson&direction=asc&action.type=suppression.create')
  assert.equal(json.headers.get('content-type'), 'application/x-ndjson')
  const entries = (await json.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(entries, (await lines('&direction=asc&action.type=suppression.create')).slice())
  assert.equal(entries.length, 3)
  assert.equal(await (await fetched('/export?format=ndjson&action.type=none')).text(), '')
  assert.equal((await fetched('/export?format=xml')).status, 400)
})
