import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import {
  has,
  method,
  methodsOf,
  misshapen,
  openSdkWorld,
  type SdkWorld,
  testMethods,
  wrong,
} from '#test/sdk-methods.ts'

/** Every method of `emailRouting` of the official SDK (clients.md §1.1), by its results and its error classes. */
let world: SdkWorld
const made = { address: '', rule: '' }

before(async () => {
  world = await openSdkWorld()
  const { addresses, rules } = world.client.emailRouting
  made.address = (await addresses.create({ ...world.account, email: 'made@dest.example' })).id ?? ''
  await addresses.edit(made.address, { ...world.account, status: 'verified' })
  made.rule = (await rules.create({ ...world.zone, ...dropped('made') })).id ?? ''
})
after(async () => world[Symbol.asyncDispose]())

const ID = /^[0-9a-f]{32}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

type RuleWish = Omit<Parameters<Cloudflare['emailRouting']['rules']['create']>[0], 'zone_id'>

function dropped(local: string): RuleWish {
  const matchers = [{ type: 'literal', field: 'to', value: `${local}@yourdomain.com` }] as const
  return { matchers: [...matchers], actions: [{ type: 'drop' }] }
}

const rule = (local: string, change: object = {}) => ({
  ...{ id: ID, tag: ID, name: '', enabled: true, priority: 0, source: 'api', ...dropped(local) },
  ...change,
})

const settings = (change: object = {}) => ({
  ...{ id: ID, tag: ID, name: 'yourdomain.com', enabled: true, created: TIME, modified: TIME },
  ...{ skip_wizard: false, status: 'ready', support_subaddress: false, ...change },
})

const unlocked = settings({ status: 'unlocked' })
const off = settings({ enabled: false, status: 'unconfigured' })
const elsewhere = { name: 'elsewhere.example' }

// In this order: enable and dns.create put right what the one before them undid.
const ROUTING = [
  method(
    'emailRouting.get',
    (as) => as.emailRouting.get(world.zone),
    (result) => has(result, settings()),
  ),
  method(
    'emailRouting.update',
    (as) => as.emailRouting.update({ ...world.zone, support_subaddress: true, skip_wizard: true }),
    (result) => has(result, settings({ support_subaddress: true, skip_wizard: true })),
    wrong(1001, () =>
      world.client.emailRouting.update({ ...world.zone, ...misshapen({ skip_wizard: 'yes' }) }),
    ),
  ),
  method(
    'emailRouting.edit',
    (as) => as.emailRouting.edit({ ...world.zone, support_subaddress: false, skip_wizard: false }),
    (result) => has(result, settings()),
    wrong(1001, () =>
      world.client.emailRouting.edit({ ...world.zone, ...misshapen({ support_subaddress: 1 }) }),
    ),
  ),
  method(
    'emailRouting.unlock',
    (as) => as.emailRouting.unlock(world.zone),
    (result) => has(result, unlocked),
    wrong(1001, () => world.client.emailRouting.unlock({ ...world.zone, ...elsewhere })),
  ),
  method(
    'emailRouting.disable',
    (as) => as.emailRouting.disable(world.zone),
    (result) => has(result, off),
  ),
  method(
    'emailRouting.enable',
    (as) => as.emailRouting.enable(world.zone),
    (result) => has(result, settings()),
  ),
  method(
    'emailRouting.dns.get',
    (as) => as.emailRouting.dns.get(world.zone),
    (result) => {
      assert.ok(Array.isArray(result))
      const [first] = result
      has(first, {
        ...{ type: 'MX', name: 'yourdomain.com', content: 'route1.mx.posthorn.test' },
        ...{ priority: 13, ttl: 1 },
      })
      assert.deepEqual(
        result.map(({ type }) => type),
        ['MX', 'MX', 'MX', 'TXT', 'TXT'],
      )
    },
    wrong(2062, () => world.client.emailRouting.dns.get({ ...world.zone, subdomain: 'elsewhere.example' })),
  ),
  method(
    'emailRouting.dns.edit',
    (as) => as.emailRouting.dns.edit({ ...world.zone, name: 'yourdomain.com' }),
    (result) => has(result, unlocked),
    wrong(1001, () => world.client.emailRouting.dns.edit({ ...world.zone, ...elsewhere })),
  ),
  method(
    'emailRouting.dns.delete',
    (as) => as.emailRouting.dns.delete(world.zone),
    (result) => has(result, off),
  ),
  method(
    'emailRouting.dns.create',
    (as) => as.emailRouting.dns.create({ ...world.zone, name: 'yourdomain.com' }),
    (result) => has(result, settings()),
    wrong(2062, () => world.client.emailRouting.dns.create({ ...world.zone, ...elsewhere })),
  ),
]

const RULES = [
  method(
    'emailRouting.rules.create',
    (as) => as.emailRouting.rules.create({ ...world.zone, ...dropped('two'), name: 'two', priority: 3 }),
    (result) => has(result, rule('two', { name: 'two', priority: 3 })),
    wrong(1001, () =>
      world.client.emailRouting.rules.create({ ...world.zone, ...dropped('two'), actions: [] }),
    ),
  ),
  method(
    'emailRouting.rules.list',
    (as) => as.emailRouting.rules.list({ ...world.zone, enabled: true }),
    ({ result, result_info }) => {
      has(result[0], rule('made'))
      has(result[1], rule('two', { name: 'two', priority: 3 }))
      assert.deepEqual([result.length, result_info], [2, pageOf(2)])
    },
    wrong(1004, () => world.client.emailRouting.rules.list({ ...world.zone, per_page: 0 })),
  ),
  method(
    'emailRouting.accountRules.list',
    (as) => as.emailRouting.accountRules.list(world.account),
    ({ result, result_info }) => {
      has(result[0], rule('made', { zone: { tag: world.zone.zone_id, name: 'yourdomain.com' } }))
      assert.deepEqual([result.length, result_info], [2, pageOf(2)])
    },
    wrong(1004, () => world.client.emailRouting.accountRules.list({ ...world.account, page: 0 })),
  ),
  method(
    'emailRouting.rules.get',
    (as) => as.emailRouting.rules.get(made.rule, world.zone),
    (result) => has(result, rule('made')),
    wrong(2020, () => world.client.emailRouting.rules.get('nope', world.zone), Cloudflare.NotFoundError),
  ),
  method(
    'emailRouting.rules.update',
    (as) => as.emailRouting.rules.update(made.rule, { ...world.zone, ...dropped('made'), enabled: false }),
    (result) => has(result, rule('made', { enabled: false })),
    wrong(2062, () =>
      world.client.emailRouting.rules.update(made.rule, {
        ...{ ...world.zone, ...dropped('made') },
        matchers: [{ type: 'literal', field: 'to', value: 'x@elsewhere.example' }],
      }),
    ),
  ),
  method(
    'emailRouting.rules.delete',
    (as) => as.emailRouting.rules.delete(made.rule, world.zone),
    (result) => has(result, rule('made', { enabled: false })),
    wrong(2020, () => world.client.emailRouting.rules.delete('nope', world.zone), Cloudflare.NotFoundError),
  ),
  method(
    'emailRouting.rules.catchAlls.get',
    (as) => as.emailRouting.rules.catchAlls.get(world.zone),
    (result) => has(result, catchAll({ enabled: false })),
  ),
  method(
    'emailRouting.rules.catchAlls.update',
    (as) =>
      as.emailRouting.rules.catchAlls.update({
        ...world.zone,
        matchers: [{ type: 'all' }],
        actions: [{ type: 'drop' }],
        enabled: true,
      }),
    (result) => has(result, catchAll({ enabled: true })),
    wrong(1001, () =>
      world.client.emailRouting.rules.catchAlls.update({ ...world.zone, matchers: [], actions: [] }),
    ),
  ),
]

function catchAll(change: object) {
  const always = { matchers: [{ type: 'all' }], actions: [{ type: 'drop' }] }
  return { id: ID, tag: ID, name: '', ...change, source: 'api', ...always }
}

const pageOf = (count: number) => ({ page: 1, per_page: 20, count, total_count: count, total_pages: 1 })

const address = (email: string, verified: RegExp | null) => ({
  ...{ id: ID, tag: ID, email, created: TIME, modified: TIME, verified },
})

const ADDRESSES = [
  method(
    'emailRouting.addresses.create',
    (as) => as.emailRouting.addresses.create({ ...world.account, email: 'two@dest.example' }),
    (result) => has(result, address('two@dest.example', null)),
    wrong(1001, () => world.client.emailRouting.addresses.create({ ...world.account, email: 'nobody' })),
    wrong(10004, () => askTooOften(), Cloudflare.RateLimitError),
  ),
  method(
    'emailRouting.addresses.list',
    (as) => as.emailRouting.addresses.list({ ...world.account, verified: true, direction: 'asc' }),
    ({ result, result_info }) => {
      has(result[0], address('made@dest.example', TIME))
      assert.deepEqual([result.length, result_info], [1, pageOf(1)])
    },
    wrong(1004, () =>
      world.client.emailRouting.addresses.list({ ...world.account, ...misshapen({ direction: 'up' }) }),
    ),
  ),
  method(
    'emailRouting.addresses.get',
    (as) => as.emailRouting.addresses.get(made.address, world.account),
    (result) => has(result, address('made@dest.example', TIME)),
  ),
  method(
    'emailRouting.addresses.edit',
    (as) => as.emailRouting.addresses.edit(made.address, { ...world.account, status: 'unverified' }),
    (result) => has(result, address('made@dest.example', null)),
    wrong(1001, () =>
      world.client.emailRouting.addresses.edit(made.address, {
        ...world.account,
        status: 'verified',
        ...misshapen({ status: 'proven' }),
      }),
    ),
  ),
  method(
    'emailRouting.addresses.delete',
    (as) => as.emailRouting.addresses.delete(made.address, world.account),
    (result) => has(result, address('made@dest.example', null)),
  ),
]

/** An address that is asked and asked again is left alone. */
async function askTooOften(): Promise<void> {
  for (let asked = 0; asked < 20; asked++) {
    const { id = '' } = await world.client.emailRouting.addresses.create({
      ...world.account,
      email: 'often@dest.example',
    })
    await world.client.emailRouting.addresses.delete(id, world.account)
  }
}

const METHODS = [...ROUTING, ...RULES, ...ADDRESSES]

test('client.emailRouting has no method that is not here', () => {
  const all = methodsOf(world.client.emailRouting, 'emailRouting')
  assert.deepEqual(METHODS.map(({ name }) => name).toSorted(), all.toSorted())
})

testMethods(() => world, { nobody: 10000, powerless: 9109, stranger: 7003 }, METHODS)
