import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import { type Deployed, deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { addSecondAccount } from '#test/second-account.ts'

let instance: Instance
let client: Cloudflare
let worker: Deployed

before(async () => {
  instance = await startInstance()
  worker = await deployWorker(instance, 'email-worker')
  client = sdkClient(instance.dev)
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })
const zone = () => ({ zone_id: instance.dev.zone_id })
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const ID = /^[0-9a-f]{32}$/

function isError(kind: new (...args: never[]) => Error, code: number, pointer?: string) {
  return (error: unknown) => {
    assert.ok(error instanceof kind, String(error))
    assert.ok(error instanceof Cloudflare.APIError)
    const [first] = error.errors as { code: number; source?: { pointer?: string } }[]
    assert.equal(first?.code, code)
    assert.equal(first.source?.pointer, pointer)
    return true
  }
}

/** The address is verified without its mail: the development token is an administrator's. */
async function verified(email: string): Promise<string> {
  const { id = '' } = await client.emailRouting.addresses.create({ ...account(), email })
  await client.emailRouting.addresses.edit(id, { ...account(), status: 'verified' })
  return id
}

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of pages) all.push(each)
  return all
}

test('addresses: every method of the SDK', async () => {
  const { addresses } = client.emailRouting
  const made = await addresses.create({ ...account(), email: 'new@dest.example' })
  assert.match(made.id ?? '', ID)
  assert.match(made.created ?? '', TIME)
  assert.deepEqual(
    { ...made },
    {
      ...{ id: made.id, tag: made.id, email: 'new@dest.example', verified: null },
      ...{ created: made.created, modified: made.created },
    },
  )
  assert.deepEqual(await addresses.get(made.id ?? '', account()), made)
  const proven = await addresses.edit(made.id ?? '', { ...account(), status: 'verified' })
  assert.match(proven.verified ?? '', TIME)
  await addresses.create({ ...account(), email: 'other@dest.example' })
  const list = (query: object) => collect(addresses.list({ ...account(), ...query }))
  const emails = async (query: object) => (await list(query)).map(({ email }) => email)
  assert.deepEqual(await emails({ direction: 'asc', per_page: 1 }), [
    'new@dest.example',
    'other@dest.example',
  ])
  assert.deepEqual(await emails({ direction: 'desc' }), ['other@dest.example', 'new@dest.example'])
  assert.deepEqual(await emails({ verified: true }), ['new@dest.example'])
  assert.deepEqual(await emails({ verified: false }), ['other@dest.example'])
  const back = await addresses.edit(made.id ?? '', { ...account(), status: 'unverified' })
  assert.equal(back.verified, null)
  assert.deepEqual(await addresses.delete(made.id ?? '', account()), back)
  const gone = isError(Cloudflare.NotFoundError, 7003)
  await assert.rejects(addresses.get(made.id ?? '', account()), gone)
  await assert.rejects(addresses.delete(made.id ?? '', account()), gone)
  await assert.rejects(addresses.edit(made.id ?? '', { ...account(), status: 'verified' }), gone)
  await assert.rejects(
    addresses.create({ ...account(), email: 'no address' }),
    isError(Cloudflare.BadRequestError, 1001, '/email'),
  )
})

type RuleWish = Omit<Parameters<Cloudflare['emailRouting']['rules']['create']>[0], 'zone_id'>

function literal(value: string): RuleWish['matchers'] {
  return [{ type: 'literal', field: 'to', value }]
}

function forward(to: string): RuleWish['actions'] {
  return [{ type: 'forward', value: [to] }]
}

test('rules: every method of the SDK', async () => {
  const { rules, accountRules } = client.emailRouting
  await verified('me@dest.example')
  const wish = { ...zone(), matchers: literal('u@yourdomain.com'), actions: forward('me@dest.example') }
  const made = await rules.create({ ...wish, name: 'r1', enabled: true, priority: 3 })
  const { id = '' } = made
  assert.match(id, ID)
  assert.deepEqual(made, {
    ...{ id, tag: id, name: 'r1', enabled: true, priority: 3, source: 'api' },
    matchers: [{ type: 'literal', field: 'to', value: 'u@yourdomain.com' }],
    actions: [{ type: 'forward', value: ['me@dest.example'] }],
  })
  assert.deepEqual(await rules.get(id, zone()), made)
  const dropped = await rules.create({
    ...zone(),
    matchers: literal('d@yourdomain.com'),
    actions: [{ type: 'drop' }],
  })
  assert.deepEqual(
    [dropped.enabled, dropped.priority, dropped.name, dropped.actions],
    [true, 0, '', [{ type: 'drop' }]],
  )

  const changed = await rules.update(id, {
    ...{
      ...zone(),
      matchers: literal('u@yourdomain.com'),
      actions: [{ type: 'worker', value: ['email-worker'] }],
    },
    ...{ enabled: false, source: 'wrangler', owner_worker_tag: worker.tag },
  })
  assert.deepEqual(changed, {
    ...made,
    ...{ enabled: false, source: 'wrangler', actions: [{ type: 'worker', value: ['email-worker'] }] },
  })
  const ids = async (query: object) =>
    (await collect(rules.list({ ...zone(), ...query }))).map((rule) => rule.id)
  assert.deepEqual(await ids({}), [dropped.id, id], 'in the order in which they are tried')
  assert.deepEqual(await ids({ per_page: 1 }), [dropped.id, id])
  assert.deepEqual(await ids({ enabled: true }), [dropped.id])
  assert.deepEqual(await ids({ enabled: false, per_page: 5 }), [id])
  const ofAccount = await collect(accountRules.list(account()))
  assert.deepEqual(ofAccount, [
    { ...dropped, zone: { tag: instance.dev.zone_id, name: 'yourdomain.com' } },
    { ...changed, zone: { tag: instance.dev.zone_id, name: 'yourdomain.com' } },
  ])
  assert.deepEqual(await collect(accountRules.list(zone())), [dropped, changed])
  // A rule may be sent back as it came.
  const back = { ...dropped, ...zone(), name: 'back' }
  assert.deepEqual(await rules.update(dropped.id ?? '', back as Parameters<typeof rules.update>[1]), {
    ...dropped,
    name: 'back',
  })

  assert.deepEqual(await rules.delete(id, zone()), changed)
  const gone = isError(Cloudflare.NotFoundError, 2020)
  await assert.rejects(rules.get(id, zone()), gone)
  await assert.rejects(rules.get('nope', zone()), gone)
  await assert.rejects(rules.delete(id, zone()), gone)
  await assert.rejects(rules.update(id, wish), gone)
  await rules.delete(dropped.id ?? '', zone())
})

test('rules: what cannot be is refused, and the field named', async () => {
  const { rules } = client.emailRouting
  await verified('me@dest.example')
  const good = { ...zone(), matchers: literal('x@yourdomain.com'), actions: forward('me@dest.example') }
  const refused: readonly [number, string | undefined, Partial<RuleWish>][] = [
    [1001, '/actions', { actions: [] }],
    [1001, '/actions', { actions: [...forward('me@dest.example'), { type: 'drop' }] }],
    [1001, '/actions/0/value', { actions: [{ type: 'forward' }] }],
    [
      1001,
      '/actions/0/value',
      { actions: [{ type: 'forward', value: ['me@dest.example', 'you@dest.example'] }] },
    ],
    [1001, '/actions/0/value/0', { actions: forward('nobody@dest.example') }],
    [1001, '/actions/0/value/0', { actions: forward('no address') }],
    [1001, '/actions/0/value/0', { actions: [{ type: 'worker', value: ['../x'] }] }],
    [2016, '/actions/0/value/0', { actions: [{ type: 'worker', value: ['nobodys'] }] }],
    [2016, '/owner_worker_tag', { source: 'wrangler', owner_worker_tag: 'f'.repeat(32) }],
    [1001, '/actions/0/value', { actions: [{ type: 'drop', value: ['me@dest.example'] }] }],
    [1001, '/matchers', { matchers: [] }],
    [1001, '/matchers', { matchers: [...literal('x@yourdomain.com'), ...literal('y@yourdomain.com')] }],
    [1001, '/matchers/0/type', { matchers: [{ type: 'all' }] }],
    [1001, '/matchers/0/value', { matchers: [{ type: 'literal' }] }],
    [1001, '/matchers/0/value', { matchers: literal('*@yourdomain.com') }],
    [2062, '/matchers/0/value', { matchers: literal('x@elsewhere.example') }],
    [2062, '/matchers/0/value', { matchers: literal('x@nothere.yourdomain.com') }],
    [1001, '/owner_worker_tag', { source: 'wrangler' }],
    [1001, '/priority', { priority: -1 }],
    [1001, '/priority', { priority: 1.5 }],
    [1001, '/name', { name: 'x'.repeat(257) }],
  ]
  for (const [code, pointer, wrong] of refused) {
    const at = JSON.stringify(wrong)
    await assert.rejects(
      rules.create({ ...good, ...wrong }),
      isError(Cloudflare.BadRequestError, code, pointer),
      at,
    )
  }
  assert.deepEqual(await collect(rules.list(zone())), [])
})

test('the catch-all: every method of the SDK, and of a subdomain by itself', async () => {
  const { catchAlls } = client.emailRouting.rules
  await verified('all@dest.example')
  const unset = await catchAlls.get(zone())
  assert.match(unset.id ?? '', ID)
  assert.deepEqual(unset, {
    ...{ id: unset.id, tag: unset.id, name: '', enabled: false, source: 'api' },
    ...{ matchers: [{ type: 'all' }], actions: [{ type: 'drop' }] },
  })
  const set = await catchAlls.update({
    ...{
      ...zone(),
      matchers: [{ type: 'all' }],
      actions: [{ type: 'forward', value: ['all@dest.example'] }],
    },
    ...{ enabled: true, name: 'all' },
  })
  assert.deepEqual(set, {
    ...unset,
    ...{ name: 'all', enabled: true, actions: [{ type: 'forward', value: ['all@dest.example'] }] },
  })
  assert.deepEqual(await catchAlls.get(zone()), set)
  // wrangler looks here for an id that is no rule's, and then at the catch-all.
  await assert.rejects(
    client.emailRouting.rules.get(set.id ?? '', zone()),
    isError(Cloudflare.NotFoundError, 2020),
  )
  assert.deepEqual(await collect(client.emailRouting.rules.list(zone())), [])
  await assert.rejects(
    catchAlls.update({ ...zone(), matchers: [], actions: [{ type: 'drop' }] }),
    isError(Cloudflare.BadRequestError, 1001, '/matchers'),
  )
  const query = { query: { subdomain: 'nothere' } }
  await assert.rejects(catchAlls.get(zone(), query), isError(Cloudflare.BadRequestError, 2062, '?subdomain'))
  const whole = { query: { subdomain: 'yourdomain.com' } }
  assert.deepEqual(await catchAlls.get(zone(), whole), set)
  await catchAlls.update({
    ...zone(),
    matchers: [{ type: 'all' }],
    actions: [{ type: 'drop' }],
    enabled: false,
  })
})

test('a subdomain with routing has rules and a catch-all of its own', async () => {
  const { rules, dns } = client.emailRouting
  await dns.create({ ...zone(), name: 'mail.yourdomain.com' })
  const made = await rules.create({
    ...{ ...zone(), matchers: literal('s@mail.yourdomain.com'), actions: [{ type: 'drop' }] },
  })
  const apex = await rules.catchAlls.get(zone())
  for (const subdomain of ['mail', 'Mail.YourDomain.com']) {
    const query = { query: { subdomain } }
    const wish = { ...zone(), matchers: [{ type: 'all' as const }], actions: [{ type: 'drop' as const }] }
    const set = await rules.catchAlls.update({ ...wish, enabled: true, name: subdomain }, query)
    assert.notEqual(set.id, apex.id)
    assert.deepEqual([set.enabled, set.name], [true, subdomain])
    assert.deepEqual(await rules.catchAlls.get(zone(), query), set)
    assert.deepEqual(await rules.catchAlls.get(zone()), apex)
  }
  await rules.delete(made.id ?? '', zone())
})

test('rules that forward to an unverified address wait for it, and end with it', async () => {
  const { rules, addresses } = client.emailRouting
  const { id = '' } = await addresses.create({ ...account(), email: 'late@dest.example' })
  const made = await rules.create({
    ...{
      ...zone(),
      matchers: literal('l@yourdomain.com'),
      actions: forward('late@dest.example'),
      enabled: true,
    },
  })
  const enabled = async () => (await rules.get(made.id ?? '', zone())).enabled
  assert.equal(made.enabled, false)
  await addresses.edit(id, { ...account(), status: 'verified' })
  assert.equal(await enabled(), true)
  await addresses.edit(id, { ...account(), status: 'unverified' })
  assert.equal(await enabled(), false)
  await addresses.edit(id, { ...account(), status: 'verified' })
  await addresses.delete(id, account())
  assert.equal(await enabled(), false)
  await verified('late@dest.example')
  assert.equal(await enabled(), false, 'deletion switched it off')
  await rules.delete(made.id ?? '', zone())
})

test('the plan of wrangler deploy, applied as wrangler applies it', async () => {
  const { rules } = client.emailRouting
  const { tag } = worker
  const actions: RuleWish['actions'] = [{ type: 'worker', value: ['email-worker'] }]
  const plan = (addresses: string[], catchAll: string[] = []) =>
    client.post(`/accounts/${instance.dev.account_id}/email/routing/rules/plan`, {
      body: {
        owner_worker_tag: tag,
        rules: addresses.map((value) => ({ matchers: literal(value), actions })),
        catch_all_rules: catchAll.map((target) => ({
          target,
          rule: { matchers: [{ type: 'all' }], actions },
        })),
      },
    }) as Promise<{ result: { zones: unknown[] } }>
  const { zone_id } = zone()
  const planned = (changes: unknown[]) => ({ zones: [{ zone_id, zone_name: 'yourdomain.com', changes }] })
  assert.deepEqual(
    (await plan(['support@yourdomain.com'], ['*@yourdomain.com'])).result,
    planned([
      { type: 'added', target: 'support@yourdomain.com' },
      { type: 'added', target: '*@yourdomain.com' },
    ]),
  )
  const owned = { enabled: true, source: 'wrangler', owner_worker_tag: tag } as const
  const made = await rules.create({
    ...zone(),
    matchers: literal('support@yourdomain.com'),
    actions,
    ...owned,
  })
  await rules.catchAlls.update({ ...zone(), matchers: [{ type: 'all' }], actions, ...owned })
  assert.deepEqual((await plan(['support@yourdomain.com'], ['*@yourdomain.com'])).result, { zones: [] })
  const remote = {
    ...{ id: made.id, enabled: true, source: 'wrangler', matchers: literal('support@yourdomain.com') },
    ...{ actions, owner_worker_name: 'email-worker' },
  }
  assert.deepEqual(
    (await plan([], ['*@yourdomain.com'])).result,
    planned([{ type: 'deleted', target: 'support@yourdomain.com', remote }]),
  )
  await assert.rejects(plan(['x@elsewhere.example']), isError(Cloudflare.BadRequestError, 2062))
  await assert.rejects(
    plan(['x@yourdomain.com', 'X@yourdomain.com']),
    isError(Cloudflare.UnprocessableEntityError, 1001),
  )
  await assert.rejects(
    plan([], ['yourdomain.com']),
    isError(Cloudflare.UnprocessableEntityError, 1001, '/catch_all_rules/0/target'),
  )
  await rules.delete(made.id ?? '', zone())
  await rules.catchAlls.update({
    ...{
      ...zone(),
      matchers: [{ type: 'all' }],
      actions: [{ type: 'drop' }],
      enabled: false,
      name: '',
      source: 'api',
    },
  })
})

test("another account's ids are unknown, and permissions are asked for", async () => {
  const id = await verified('mine@dest.example')
  const made = await client.emailRouting.rules.create({
    ...{ ...zone(), matchers: literal('m@yourdomain.com'), actions: [{ type: 'drop' }] },
  })
  const all = ['Email Routing Rules:Edit', 'Email Routing Addresses:Edit', 'Account Settings:Edit']
  const second = addSecondAccount(instance.directory, all)
  const other = sdkClient({ ...instance.dev, api_token: second.token })
  const theirs = { account_id: second.accountId }
  const unknown = isError(Cloudflare.NotFoundError, 7003)
  await assert.rejects(other.emailRouting.addresses.get(id, theirs), unknown)
  await assert.rejects(other.emailRouting.addresses.delete(id, theirs), unknown)
  await assert.rejects(other.emailRouting.addresses.edit(id, { ...theirs, status: 'unverified' }), unknown)
  await assert.rejects(other.emailRouting.addresses.get(id, account()), unknown)
  await assert.rejects(other.emailRouting.rules.get(made.id ?? '', zone()), unknown)
  await assert.rejects(other.emailRouting.rules.delete(made.id ?? '', zone()), unknown)
  await assert.rejects(other.emailRouting.rules.catchAlls.get(zone()), unknown)
  assert.deepEqual(await collect(other.emailRouting.addresses.list(theirs)), [])
  assert.deepEqual(await collect(other.emailRouting.accountRules.list(theirs)), [])

  const lesser = addSecondAccount(instance.directory, [
    'Email Routing Rules:Read',
    'Email Routing Addresses:Edit',
  ])
  const limited = sdkClient({ ...instance.dev, api_token: lesser.token })
  const own = { account_id: lesser.accountId }
  const { id: theirId = '' } = await limited.emailRouting.addresses.create({
    ...own,
    email: 'x@dest.example',
  })
  const lacking = isError(Cloudflare.PermissionDeniedError, 9109)
  await assert.rejects(limited.emailRouting.addresses.edit(theirId, { ...own, status: 'verified' }), lacking)
  assert.equal(
    (await limited.emailRouting.addresses.edit(theirId, { ...own, status: 'unverified' })).verified,
    null,
  )
  await client.emailRouting.rules.delete(made.id ?? '', zone())
})

test('every change is in the audit log', async () => {
  const { rules, addresses } = client.emailRouting
  const { id = '' } = await addresses.create({ ...account(), email: 'audit@dest.example' })
  await addresses.create({ ...account(), email: 'audit@dest.example' })
  await addresses.edit(id, { ...account(), status: 'verified' })
  const wish = {
    ...zone(),
    matchers: literal('audit@yourdomain.com'),
    actions: forward('audit@dest.example'),
  }
  const made = await rules.create(wish)
  await rules.update(made.id ?? '', { ...wish, name: 'changed' })
  const lines = async (resource: string) => {
    const all = await collect(client.auditLogs.list({ ...account(), per_page: 1000 }))
    return all.filter((line) => line.resource?.id === resource).map((line) => line.action?.type ?? '')
  }
  await addresses.delete(id, account())
  await rules.delete(made.id ?? '', zone())
  assert.deepEqual((await lines(id)).toSorted(), ['address.create', 'address.delete', 'address.update'])
  assert.deepEqual((await lines(made.id ?? '')).toSorted(), [
    'rule.create',
    'rule.delete',
    'rule.update',
    'rule.update',
  ])
})

test('a token that is kept out of a zone sees none of its rules in lists of the account', async () => {
  const { rules, accountRules } = client.emailRouting
  const made = await rules.create({
    ...zone(),
    matchers: literal('k@yourdomain.com'),
    actions: [{ type: 'drop' }],
  })
  const groups = await collect(client.accounts.tokens.permissionGroups.list(account()))
  const { id = '' } = groups.find(({ name }) => name === 'Email Routing Rules Read') ?? {}
  const reading = { permission_groups: [{ id }] }
  const { account_id, zone_id } = { ...account(), ...zone() }
  const { value = '' } = await client.accounts.tokens.create({
    ...{ account_id, name: 'kept out' },
    policies: [
      { ...reading, effect: 'allow', resources: { [`com.cloudflare.api.account.${account_id}`]: '*' } },
      { ...reading, effect: 'deny', resources: { [`com.cloudflare.api.account.zone.${zone_id}`]: '*' } },
    ],
  })
  const kept = sdkClient({ ...instance.dev, api_token: value })
  assert.deepEqual(await collect(kept.emailRouting.accountRules.list(account())), [])
  await assert.rejects(
    collect(kept.emailRouting.rules.list(zone())),
    isError(Cloudflare.PermissionDeniedError, 9109),
  )
  assert.equal((await collect(accountRules.list(account()))).length, 1)
  await rules.delete(made.id ?? '', zone())
})
