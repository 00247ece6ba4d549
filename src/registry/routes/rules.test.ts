import assert from 'node:assert/strict'
import type { Address } from '#model/address.ts'
import { parseAddress } from '#protocol/address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openDestinations } from './destinations.ts'
import type { CatchAll, LiteralRule, RoutingRule, RuleAction, RuleWish } from './rule.ts'
import { openRules, RULES_PER_DOMAIN, type RuleFault, type ZoneScope } from './rules.ts'

const insertZone = statement(
  'test.zone',
  `insert into zone (id, account_id, name, status, created_at, activated_at) values ($1, $2, $3, 'active', 1, 1)`,
)
const insertDomain = statement(
  'test.domain',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at) values ($1, $2, $3, $4, 'none', $5, 1, 0, 1, 1)`,
)
const setRouting = statement('test.routing', 'update domain set routing = $2 where name = $1')
const dropZone = statement('test.drop-zone', 'delete from zone where id = $1')
const dropDomains = statement('test.drop-domains', 'delete from domain where zone_id = $1')
const countNotes = statement<{ n: number }>('test.notes', 'select count(*) as n from complaint_removal')
const note = (): Write[] => [
  {
    statement: statement(
      'test.note',
      `insert into complaint_removal (id, account_id, token_id, suppression_id, email, change, at)
       values ($1, '', '', '', '', '', 0)`,
    ),
    params: [newId()],
    rows: 1,
  },
]
const silent = (): Write[] => []

async function world({ store }: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store, clock })
  const destinations = openDestinations({ store, clock })
  const rules = openRules({ store, clock })
  const a = await accounts.createAccount('A')
  const b = await accounts.createAccount('B')
  const zone = await makeZone(store, a.id, 'example.com')
  await addDomain(store, zone, 'example.com')
  const pass = (ms = 1) => (now += ms)
  const make = async (wish: Partial<RuleWish> & { address: Address }, scope = zone) => {
    const made = await rules.create(scope, wished(wish), silent)
    assert.ok('matcher' in made, JSON.stringify(made))
    return made
  }
  return { store, rules, destinations, zone, a: a.id, b: b.id, pass, make }
}

async function makeZone(store: Store, accountId: string, name: string): Promise<ZoneScope> {
  const zoneId = newId()
  await store.commit([{ statement: insertZone, params: [zoneId, accountId, name] }])
  return { accountId, zoneId }
}

async function addDomain(store: Store, { accountId, zoneId }: ZoneScope, name: string, routing = 'active') {
  await store.commit([{ statement: insertDomain, params: [newId(), zoneId, accountId, name, routing] }])
}

function at(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(typeof parsed === 'string', text)
  return parsed
}

const API = { source: 'api', ownerWorkerTag: null } as const

function wished(wish: Partial<RuleWish> & { address: Address }): RuleWish {
  return { action: { type: 'drop' }, managed: API, ...wish }
}

function forward(to: string): { action: RuleAction } {
  return { action: { type: 'forward', to: at(to) } }
}

function ruleIn<R extends RoutingRule>(outcome: R | RuleFault): R {
  assert.ok('matcher' in outcome, JSON.stringify(outcome))
  return outcome
}

const PAGE = { order: 'priority', direction: 'asc', offset: 0, limit: 1000 } as const

onBothEngines('a rule is created, read, changed and removed as it was wished', async (_t, open) => {
  const { rules, zone, destinations, pass } = await world(open)
  await destinations.addDestination(zone.accountId, at('Boss@Dest.example'), { verified: true })
  const wish = wished({
    address: at('Info@example.com'),
    ...forward('boss@dest.example'),
    name: 'n',
    priority: 3,
  })
  const made = ruleIn(await rules.create(zone, wish, silent))
  const expected: LiteralRule = {
    ...{
      id: made.id,
      zoneId: zone.zoneId,
      zoneName: 'example.com',
      domain: 'example.com',
      matcher: 'literal',
    },
    ...{ address: 'Info@example.com', addressKey: 'info@example.com', name: 'n', priority: 3 },
    ...{ wanted: true, enabled: true, action: wish.action, managed: API },
    ...{ createdAt: 1_800_000_000_000, modifiedAt: 1_800_000_000_000 },
  }
  assert.deepEqual(made, expected)
  assert.deepEqual(await rules.rule(zone, made.id), expected)
  pass()
  const managed = { source: 'wrangler', ownerWorkerTag: 'f'.repeat(32) } as const
  const action = { type: 'worker', name: 'w' } as const
  const change = { id: made.id, wish: { address: at('other@example.com'), action, managed } }
  const changed = ruleIn(await rules.update(zone, change, silent))
  assert.deepEqual(changed, {
    ...expected,
    ...{ address: 'other@example.com', addressKey: 'other@example.com', action, managed },
    modifiedAt: expected.modifiedAt + 1,
  })
  const off = { id: made.id, wish: { ...change.wish, enabled: false, name: '', priority: 0 } }
  const switched = ruleIn(await rules.update(zone, off, silent))
  assert.deepEqual(
    [switched.enabled, switched.wanted, switched.name, switched.priority],
    [false, false, '', 0],
  )
  assert.deepEqual(await rules.rule(zone, made.id), switched)
  assert.deepEqual(await rules.remove(zone, made.id, silent), switched)
  assert.equal(await rules.rule(zone, made.id), undefined)
  assert.deepEqual(await rules.remove(zone, made.id, silent), { kind: 'unknown-rule' })
  assert.deepEqual(await rules.update(zone, off, silent), { kind: 'unknown-rule' })
})

onBothEngines(
  'a forward works while its destination is verified, whichever changes last',
  async (_t, open) => {
    const { rules, zone, destinations, make, a } = await world(open)
    const unknown = await rules.create(
      zone,
      wished({ address: at('x@example.com'), ...forward('me@dest.example') }),
      silent,
    )
    assert.deepEqual(unknown, { kind: 'unknown-destination', address: 'me@dest.example' })
    const me = await destinations.addDestination(a, at('me@dest.example'), { verified: false })
    const rule = await make({ address: at('x@example.com'), ...forward('ME@dest.example') })
    const catchAll = ruleIn(
      await rules.setCatchAll(
        zone,
        { domain: undefined, wish: { ...forward('me@dest.example'), managed: API, enabled: true } },
        silent,
      ),
    )
    assert.deepEqual(
      [rule.wanted, rule.enabled, catchAll.wanted, catchAll.enabled],
      [true, false, true, false],
    )
    const states = async () => {
      const {
        rules: [one],
        catchAll: all,
      } = await rules.routesOf(zone.zoneId, 'example.com', [rule.addressKey])
      return [one?.enabled, all?.enabled, (await rules.list({ ...PAGE, accountId: a, enabled: true })).total]
    }
    assert.deepEqual(await states(), [false, false, 0])
    await destinations.setVerified(a, { id: me.id, verified: true }, silent)
    assert.deepEqual(await states(), [true, true, 1])
    await destinations.setVerified(a, { id: me.id, verified: false }, silent)
    assert.deepEqual(await states(), [false, false, 0])
    await destinations.setVerified(a, { id: me.id, verified: true }, silent)

    let told: readonly RoutingRule[] = []
    const removed = await destinations.remove(a, me.id, (_destination, rulesOff) => {
      told = rulesOff
      return []
    })
    assert.equal(removed?.id, me.id)
    assert.deepEqual(told.map(({ id }) => id).toSorted(), [rule.id, catchAll.id].toSorted())
    assert.deepEqual(await states(), [false, false, 0])
    const again = await destinations.addDestination(a, at('me@dest.example'), { verified: true })
    assert.notEqual(again.id, me.id)
    assert.deepEqual(await states(), [false, false, 0], 'off for good, until somebody switches it on')
    assert.equal((await rules.rule(zone, rule.id))?.wanted, false)
  },
)

onBothEngines('rules are for the zone and the domains below it that have routing', async (_t, open) => {
  const { store, rules, zone, make } = await world(open)
  const of = (address: string) => rules.create(zone, wished({ address: at(address) }), silent)
  assert.deepEqual(await of('x@mail.example.com'), { kind: 'unknown-domain', domain: 'mail.example.com' })
  assert.deepEqual(await of('x@other.example'), { kind: 'unknown-domain', domain: 'other.example' })
  await addDomain(store, zone, 'mail.example.com')
  await addDomain(store, zone, 'send.example.com', 'none')
  const rule = await make({ address: at('x@mail.example.com') })
  assert.equal(rule.domain, 'mail.example.com')
  assert.deepEqual(await of('x@send.example.com'), { kind: 'unknown-domain', domain: 'send.example.com' })
  await store.commit([{ statement: setRouting, params: ['mail.example.com', 'none'] }])
  const kept = await rules.update(
    zone,
    { id: rule.id, wish: wished({ address: at('y@mail.example.com') }) },
    silent,
  )
  assert.equal(ruleIn(kept).address, 'y@mail.example.com', 'what is there may be changed')
  assert.equal(await rules.rule({ ...zone, zoneId: newId() }, rule.id), undefined)
})

onBothEngines('a list has its order, its filter, its pages and no catch-alls', async (_t, open) => {
  const { store, rules, zone, a, make, pass } = await world(open)
  const second = await makeZone(store, a, 'another.example')
  const made: LiteralRule[] = []
  for (const [local, priority, enabled] of [
    ['a', 5, true],
    ['b', 1, false],
    ['c', 5, true],
    ['d', 0, true],
  ] as const) {
    made.push(await make({ address: at(`${local}@example.com`), priority, enabled }))
    pass()
  }
  const there = await make({ address: at('z@another.example') }, second)
  await rules.setCatchAll(
    zone,
    { domain: undefined, wish: { action: { type: 'drop' }, managed: API } },
    silent,
  )
  const list = async (page: object) => {
    const { rules: shown, total } = await rules.list({ ...PAGE, accountId: a, ...page })
    return [shown.map(({ address }) => address.slice(0, 1)).join(''), total]
  }
  const { zoneId } = zone
  assert.deepEqual(await list({ zoneId }), ['dbac', 4])
  assert.deepEqual(await list({ zoneId, direction: 'desc' }), ['cabd', 4])
  assert.deepEqual(await list({ zoneId, order: 'created' }), ['abcd', 4])
  assert.deepEqual(await list({ zoneId, order: 'created', direction: 'desc' }), ['dcba', 4])
  assert.deepEqual(await list({ zoneId, enabled: true }), ['dac', 3])
  assert.deepEqual(await list({ zoneId, enabled: false }), ['b', 1])
  assert.deepEqual(await list({ zoneId, limit: 3, offset: 3 }), ['c', 4])
  assert.deepEqual(await list({ zoneId, limit: 3, offset: 4 }), ['', 4])
  assert.deepEqual(await list({ offset: 9e18 }), ['', 5])
  assert.deepEqual(await list({}), ['zdbac', 5])
  assert.deepEqual(await list({ withoutZones: [zoneId] }), ['z', 1])
  assert.equal((await rules.list({ ...PAGE, accountId: a })).rules[0]?.zoneName, there.zoneName)
})

onBothEngines('another account sees, changes and removes nothing', async (_t, open) => {
  const { rules, zone, b, make } = await world(open)
  const rule = await make({ address: at('x@example.com') })
  const theirs = { ...zone, accountId: b }
  const wish = wished({ address: at('y@example.com') })
  assert.equal(await rules.rule(theirs, rule.id), undefined)
  assert.deepEqual(await rules.update(theirs, { id: rule.id, wish }, silent), { kind: 'unknown-rule' })
  assert.deepEqual(await rules.remove(theirs, rule.id, silent), { kind: 'unknown-rule' })
  assert.equal(ruleFault(await rules.create(theirs, wish, silent)), 'unknown-domain')
  assert.equal(ruleFault(await rules.catchAll(theirs)), 'unknown-domain')
  assert.equal((await rules.list({ ...PAGE, accountId: b, zoneId: zone.zoneId })).total, 0)
  assert.deepEqual(await rules.rule(zone, rule.id), rule)
})

function ruleFault(outcome: RoutingRule | RuleFault): string {
  return 'kind' in outcome ? outcome.kind : 'none'
}

onBothEngines('a domain has 200 rules at most, wherever they come from', async (_t, open) => {
  const { store, rules, zone, make } = await world(open)
  await addDomain(store, zone, 'mail.example.com')
  const elsewhere = await make({ address: at('x@mail.example.com') })
  const create = (i: number) => rules.create(zone, wished({ address: at(`u${i}@example.com`) }), note)
  for (let i = 0; i < RULES_PER_DOMAIN; i++) ruleIn(await create(i))
  const limit = { kind: 'too-many-rules', domain: 'example.com', limit: 200 }
  assert.deepEqual(await create(200), limit)
  assert.deepEqual(Number((await store.get(countNotes, []))?.n), 200, 'nothing is noted of what was not done')
  const moved = { id: elsewhere.id, wish: wished({ address: at('moved@example.com') }) }
  assert.deepEqual(await rules.update(zone, moved, silent), limit)
  const [first] = (await rules.routesOf(zone.zoneId, 'example.com', ['u7@example.com'])).rules
  assert.ok(first)
  const change = { id: first.id, wish: wished({ address: at('changed@example.com') }) }
  ruleIn(await rules.update(zone, change, silent))
  await rules.remove(zone, first.id, silent)
  ruleIn(await rules.update(zone, moved, silent))
})

onBothEngines('each domain has a catch-all of its own, from the start', async (_t, open) => {
  const { store, rules, zone } = await world(open)
  await addDomain(store, zone, 'mail.example.com')
  const unset = ruleIn(await rules.catchAll(zone))
  assert.deepEqual(
    [unset.enabled, unset.action, unset.name, unset.managed.source],
    [false, { type: 'drop' }, '', 'api'],
  )
  assert.match(unset.id, /^[0-9a-f]{32}$/)
  const ofMail = ruleIn(await rules.catchAll(zone, 'mail.example.com'))
  assert.notEqual(ofMail.id, unset.id)
  assert.deepEqual(await rules.catchAll(zone, 'no.example.com'), {
    kind: 'unknown-domain',
    domain: 'no.example.com',
  })
  const wish = { action: { type: 'worker', name: 'w' }, managed: API, enabled: true, name: 'all' } as const
  const set = ruleIn(await rules.setCatchAll(zone, { domain: undefined, wish }, silent))
  assert.equal(set.id, unset.id)
  assert.deepEqual(await rules.catchAll(zone), set)
  assert.deepEqual(await rules.catchAll(zone, 'example.com'), set)
  assert.deepEqual(await rules.catchAll(zone, 'mail.example.com'), ofMail, "the subdomain's is as it was")
  assert.equal(await rules.rule(zone, set.id), undefined, 'it is no rule')
  const drop = { action: { type: 'drop' }, managed: API } as const
  const next = ruleIn(await rules.setCatchAll(zone, { domain: 'example.com', wish: drop }, silent))
  assert.deepEqual([next.enabled, next.name, next.action], [true, 'all', { type: 'drop' }])
  const routes = await rules.routesOf(zone.zoneId, 'example.com', ['x@example.com'])
  assert.deepEqual(routes, { rules: [], catchAll: next, hasRules: false })
})

onBothEngines('changes at once follow each other, and each notes what it found', async (_t, open) => {
  const { rules, zone, make } = await world(open)
  const rule = await make({ address: at('x@example.com') })
  const seen: { before?: LiteralRule; after?: LiteralRule }[] = []
  const names = Array.from({ length: 6 }, (_, i) => `${i}`)
  await Promise.all(
    names.map((name) =>
      rules.update(zone, { id: rule.id, wish: wished({ address: at('x@example.com'), name }) }, (change) => {
        seen.push(change)
        return []
      }),
    ),
  )
  const last = await rules.rule(zone, rule.id)
  const chain = [rule, last].map((each) => each?.modifiedAt)
  assert.ok(names.includes(last?.name ?? ''))
  assert.ok(Number(chain[1]) >= Number(chain[0]) + names.length)
  const wish = { action: { type: 'drop' }, managed: API, enabled: true } as const
  const set = await Promise.all(
    names.map((name) => rules.setCatchAll(zone, { domain: undefined, wish: { ...wish, name } }, silent)),
  )
  const ids = new Set(set.map((each) => ruleIn<CatchAll>(each).id))
  assert.equal(ids.size, 1)
})

onBothEngines('with its zone go its rules', async (_t, open) => {
  const { store, rules, zone, make } = await world(open)
  const rule = await make({ address: at('x@example.com') })
  const gone = await store.commit([
    { statement: dropDomains, params: [zone.zoneId] },
    { statement: dropZone, params: [zone.zoneId], rows: 1 },
  ])
  assert.ok(gone.ok)
  assert.equal(await rules.rule(zone, rule.id), undefined)
})
