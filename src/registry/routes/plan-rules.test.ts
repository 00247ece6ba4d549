import assert from 'node:assert/strict'
import type { Address } from '#model/address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { newId } from '#store/id.ts'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import type { PlanRequest } from './plan-rules.ts'
import type { RuleAction, RuleSource } from './rule.ts'
import { openRules } from './rules.ts'

const TAG = 'f'.repeat(32)
const OWN: RuleSource = { source: 'wrangler', ownerWorkerTag: TAG }
const OTHER: RuleSource = { source: 'wrangler', ownerWorkerTag: 'e'.repeat(32) }
const API: RuleSource = { source: 'api', ownerWorkerTag: null }
const WORKER: RuleAction = { type: 'worker', name: 'w' }

const insertZone = statement(
  'test.zone',
  `insert into zone (id, account_id, name, status, created_at, activated_at) values ($1, $2, $3, 'active', 1, 1)`,
)
const insertDomain = statement(
  'test.domain',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at) values ($1, $2, $3, $4, 'none', $5, 1, 0, 1, 1)`,
)

async function world({ store }: OpenStore) {
  const clock = () => 1_800_000_000_000
  const accounts = openAccounts({ store, clock })
  const rules = openRules({ store, clock })
  const { id: accountId } = await accounts.createAccount('A')
  const { id: stranger } = await accounts.createAccount('B')
  const zoneIds = new Map<string, string>()
  for (const name of ['example.com', 'other.example']) {
    const zoneId = newId()
    zoneIds.set(name, zoneId)
    await store.commit([{ statement: insertZone, params: [zoneId, accountId, name] }])
    for (const [domain, routing] of [
      [name, 'active'],
      [`sub.${name}`, 'active'],
      [`off.${name}`, 'disabled'],
    ] as const)
      await store.commit([{ statement: insertDomain, params: [newId(), zoneId, accountId, domain, routing] }])
  }
  const scope = (zone: string) => ({ accountId, zoneId: zoneIds.get(zone) ?? '' })
  const silent = () => []
  return {
    rules,
    accountId,
    stranger,
    scope,
    make: async (address: string, managed: RuleSource, action = WORKER, enabled = true) => {
      const zone = address.endsWith('other.example') ? 'other.example' : 'example.com'
      const wish = { address: address as Address, managed, action, enabled }
      const made = await rules.create(scope(zone), wish, silent)
      assert.ok('matcher' in made)
      return made
    },
    catchAll: (domain: string, managed: RuleSource, action = WORKER, enabled = true) =>
      rules.setCatchAll(scope('example.com'), { domain, wish: { managed, action, enabled } }, silent),
    plan: async (addresses: readonly string[], of = accountId) => {
      const planned = await rules.plan(of, wanting(addresses))
      if (planned.kind !== 'planned') return planned
      return Object.fromEntries(
        planned.zones.map(({ zoneName, changes }) => [
          zoneName,
          changes.map(({ type, target, remote }) => `${type} ${target}${remote ? ` ${remote.id}` : ''}`),
        ]),
      )
    },
  }
}

function wanting(addresses: readonly string[]): PlanRequest {
  return {
    ownerWorkerTag: TAG,
    maySee: () => true,
    rules: addresses
      .filter((text) => !text.startsWith('*@'))
      .map((address) => ({ address: address as Address, action: WORKER })),
    catchAlls: addresses
      .filter((text) => text.startsWith('*@'))
      .map((text) => ({ domain: text.slice(2), action: WORKER })),
  }
}

onBothEngines('what is missing is added, what is there as it should be is left alone', async (_t, open) => {
  const { plan, make, catchAll } = await world(open)
  const wanted = ['support@example.com', 'a@sub.example.com', '*@example.com', 'x@other.example']
  assert.deepEqual(await plan(wanted), {
    'example.com': ['added support@example.com', 'added a@sub.example.com', 'added *@example.com'],
    'other.example': ['added x@other.example'],
  })
  for (const address of wanted.filter((text) => !text.startsWith('*'))) await make(address, OWN)
  await catchAll('example.com', OWN)
  assert.deepEqual(await plan(wanted), {})
  assert.deepEqual(await plan(wanted.map((text) => text.replace('support', 'SUPPORT'))), {})
})

onBothEngines(
  'what is its own and differs is updated, what is not wanted any more deleted',
  async (_t, open) => {
    const { plan, make, catchAll } = await world(open)
    const off = await make('off@example.com', OWN, WORKER, false)
    const renamed = await make('renamed@example.com', OWN, { type: 'worker', name: 'before' })
    const old = await make('old@example.com', OWN)
    await make('theirs@example.com', OTHER)
    await make('people@example.com', API)
    const all = await catchAll('example.com', OWN, { type: 'drop' })
    assert.ok('matcher' in all)
    assert.deepEqual(await plan(['off@example.com', 'renamed@example.com', '*@example.com']), {
      'example.com': [
        `updated off@example.com ${off.id}`,
        `updated renamed@example.com ${renamed.id}`,
        `updated *@example.com ${all.id}`,
        `deleted old@example.com ${old.id}`,
      ],
    })
    assert.deepEqual(await plan(['off@example.com', 'renamed@example.com', 'old@example.com']), {
      'example.com': [
        `updated off@example.com ${off.id}`,
        `updated renamed@example.com ${renamed.id}`,
        `deleted *@example.com ${all.id}`,
      ],
    })
  },
)

onBothEngines("what is somebody else's is a conflict, and the rule that counts decides", async (_t, open) => {
  const { plan, make, catchAll } = await world(open)
  const people = await make('people@example.com', API)
  const theirs = await make('theirs@example.com', OTHER)
  await make('both@example.com', API)
  const all = await catchAll('example.com', API)
  assert.ok('matcher' in all)
  const wanted = ['people@example.com', 'theirs@example.com', '*@example.com']
  assert.deepEqual(await plan(wanted), {
    'example.com': [
      `conflict people@example.com ${people.id}`,
      `conflict theirs@example.com ${theirs.id}`,
      `conflict *@example.com ${all.id}`,
    ],
  })
  await catchAll('example.com', API, { type: 'drop' }, false)
  assert.deepEqual(await plan(['*@example.com']), { 'example.com': ['added *@example.com'] })
})

onBothEngines(
  "a subdomain's catch-all is never planned, since the zone's own would be set",
  async (_t, open) => {
    const { plan, catchAll } = await world(open)
    const refused = { kind: 'subdomain-catch-all', target: '*@sub.example.com' }
    assert.deepEqual(await plan(['*@sub.example.com']), refused)
    await catchAll('sub.example.com', OWN)
    assert.deepEqual(await plan(['*@sub.example.com']), {}, 'there is nothing to set')
    assert.deepEqual(await plan([]), {}, 'and nothing to reset')
    await catchAll('sub.example.com', OWN, { type: 'drop' })
    assert.deepEqual(await plan(['*@sub.example.com']), refused)
  },
)

onBothEngines('what cannot be planned is named', async (_t, open) => {
  const { plan, stranger } = await world(open)
  const unknown = (target: string) => ({ kind: 'unknown-domain', target })
  assert.deepEqual(await plan(['x@nowhere.example']), unknown('x@nowhere.example'))
  assert.deepEqual(await plan(['*@off.example.com']), unknown('*@off.example.com'))
  assert.deepEqual(await plan(['x@example.com'], stranger), unknown('x@example.com'))
  const twice = { kind: 'named-twice', target: 'X@example.com' }
  assert.deepEqual(await plan(['x@example.com', 'X@example.com']), twice)
})

onBothEngines('zones that are not for whoever asks are not there', async (_t, open) => {
  const { rules, accountId, make, scope } = await world(open)
  const { zoneId } = scope('example.com')
  await make('old@example.com', OWN)
  const blind = { ...wanting([]), maySee: (id: string) => id !== zoneId }
  assert.deepEqual(await rules.plan(accountId, blind), { kind: 'planned', zones: [] })
  const target = 'x@example.com'
  const asking = { ...wanting([target]), maySee: blind.maySee }
  assert.deepEqual(await rules.plan(accountId, asking), { kind: 'unknown-domain', target })
})
