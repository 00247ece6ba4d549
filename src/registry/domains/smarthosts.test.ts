import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { serviceNames } from '#model/service.ts'
import type { SmarthostSetting } from '#model/smarthost.ts'
import { isPublicAddress } from '#net/private-address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type Store, statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openVault, SealBroken } from '#vault/vault.ts'
import { openDomains } from './domains.ts'
import { LOOPBACK_ADDRESSES } from './service-zone.ts'
import { checkSmarthostSetting } from './smarthost-setting.ts'
import { openSmarthosts, type RecordSmarthost, type SmarthostScope, type Smarthosts } from './smarthosts.ts'

const service = serviceNames('posthorn.test')
const RELAY: SmarthostSetting = {
  host: 'relay.example.com',
  port: 465,
  tls: 'implicit',
  login: { username: 'us', password: 'sécret' },
}
const OPERATOR: SmarthostSetting = { host: 'relay', port: 25, tls: 'none' }

const storedRows = statement<Record<string, string | number | null>>(
  'test.smarthosts',
  'select * from smarthost order by id',
)
const movePassword = statement(
  'test.move-password',
  `update smarthost set password = (select password from smarthost where account_id = $1) where account_id = $2`,
)

/** A store that counts the questions it is asked. */
function counting(store: Store): { readonly store: Store; readonly reads: () => number } {
  let reads = 0
  const get: Store['get'] = (query, params) => {
    reads += 1
    return store.get(query, params)
  }
  const all: Store['all'] = (query, params) => {
    reads += 1
    return store.all(query, params)
  }
  const counted = {
    engine: store.engine,
    commit: store.commit.bind(store),
    get,
    all,
    close: () => store.close(),
  }
  return { store: counted, reads: () => reads }
}

async function world(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const vault = openVault(randomBytes(32))
  const { store, reads } = counting(open.store)
  const parts = { store, vault, service, clock }
  const accounts = openAccounts({ store: open.store, clock })
  const a = (await accounts.createAccount('A')).id
  const b = (await accounts.createAccount('B')).id
  const domains = openDomains({ ...parts, addresses: LOOPBACK_ADDRESSES })
  const zone = await domains.createZone(a, 'yourdomain.com', { active: true })
  assert.ok(zone.kind === 'created')
  const onboard = (name: string, active = true) =>
    domains.onboardSending({ accountId: a, zoneId: zone.zone.id, name, active })
  await onboard('yourdomain.com')
  return {
    a,
    b,
    onboard,
    reads,
    clock,
    store: open.store,
    smarthosts: openSmarthosts(parts),
    withOperator: openSmarthosts({ ...parts, installation: OPERATOR }),
    otherVault: openSmarthosts({ ...parts, vault: openVault(randomBytes(32)) }),
    pass: (ms: number) => (now += ms),
  }
}

async function scopeOf(smarthosts: Smarthosts, accountId: string, name?: string): Promise<SmarthostScope> {
  const scope = await smarthosts.scope(accountId, name)
  assert.ok(scope)
  return scope
}

async function setTo(smarthosts: Smarthosts, scope: SmarthostScope, setting = RELAY) {
  const stored = await smarthosts.set(scope, setting)
  assert.ok(typeof stored === 'object' && 'id' in stored, JSON.stringify(stored))
  return stored
}

onBothEngines(
  'a domain’s smarthost goes before the account’s, and that before the installation’s',
  async (_t, open) => {
    const { a, b, withOperator: smarthosts } = await world(open)
    const account = await scopeOf(smarthosts, a)
    const domain = await scopeOf(smarthosts, a, 'YourDomain.com')
    const hostFor = async (accountId: string, domainId: string | null) =>
      (await smarthosts.smarthostFor(accountId, domainId))?.host

    assert.deepEqual(await smarthosts.smarthostFor(a, null), {
      ...OPERATOR,
      id: 'installation',
      trusted: true,
    })
    await setTo(smarthosts, account, { ...RELAY, host: 'of.account.example' })
    await setTo(smarthosts, domain, { ...RELAY, host: 'of.domain.example' })
    assert.equal(await hostFor(a, domain.domainId), 'of.domain.example')
    assert.equal(await hostFor(a, 'f'.repeat(32)), 'of.account.example')
    assert.equal(await hostFor(a, null), 'of.account.example')
    assert.equal(await hostFor(b, null), 'relay')
    assert.equal(
      await hostFor(b, domain.domainId),
      'relay',
      'an account has no part in the domain of another',
    )

    assert.equal(await smarthosts.remove(domain), true)
    assert.equal(await hostFor(a, domain.domainId), 'of.account.example')
    assert.equal(await smarthosts.remove(account), true)
    assert.equal(await hostFor(a, domain.domainId), 'relay')
    assert.equal(await smarthosts.remove(account), false)
    assert.equal(await smarthosts.get(account), undefined)
  },
)

onBothEngines(
  'what is set is what comes back, sealed in between; a change has a new id',
  async (_t, open) => {
    const { a, smarthosts, store, pass, clock } = await world(open)
    const scope = await scopeOf(smarthosts, a)
    const first = await setTo(smarthosts, scope)
    const times = { createdAt: clock(), modifiedAt: clock() }
    assert.deepEqual(first, { ...RELAY, id: first.id, trusted: false, ...times })
    assert.deepEqual(await smarthosts.get(scope), first)
    assert.deepEqual(await smarthosts.smarthostFor(a, null), first)
    const [row] = await store.all(storedRows, [])
    assert.match(String(row?.password), /^v1\./)
    assert.ok(!JSON.stringify(row).includes('sécret'))

    pass(1000)
    const clear: SmarthostSetting = { host: 'RELAY.example.com', port: 2525, tls: 'none' }
    const second = await setTo(smarthosts, scope, clear)
    assert.notEqual(second.id, first.id)
    assert.deepEqual(second, {
      host: 'relay.example.com',
      port: 2525,
      tls: 'none',
      id: second.id,
      trusted: false,
      createdAt: times.createdAt,
      modifiedAt: clock(),
    })
    assert.deepEqual(await smarthosts.smarthostFor(a, null), second)
    assert.equal((await store.all(storedRows, [])).length, 1)
  },
)

onBothEngines('a domain is one’s own, by any spelling of its name, active or not', async (_t, open) => {
  const { a, b, smarthosts, onboard, store } = await world(open)
  await onboard('xn--bcher-kva.yourdomain.com', false)
  const domain = await scopeOf(smarthosts, a, 'Bücher.yourdomain.com')
  await setTo(smarthosts, domain)
  for (const name of ['yourdomain.com', 'bücher.yourdomain.com'])
    assert.equal(await smarthosts.scope(b, name), undefined)
  for (const name of ['', 'unknown.example', 'a b', "'", '\0', 'x'.repeat(2000)])
    assert.equal(await smarthosts.scope(a, name), undefined)
  assert.equal(await smarthosts.set({ accountId: b, domainId: domain.domainId }, RELAY), 'no-such-domain')
  assert.equal(await smarthosts.set({ accountId: a, domainId: 'f'.repeat(32) }, RELAY), 'no-such-domain')
  assert.equal(await smarthosts.remove({ accountId: b, domainId: domain.domainId }), false)
  assert.equal(await smarthosts.get({ accountId: b, domainId: domain.domainId }), undefined)
  assert.equal((await store.all(storedRows, [])).length, 1)
})

onBothEngines('nobody’s smarthost costs no question for each message', async (_t, open) => {
  const { a, b, smarthosts, reads, pass } = await world(open)
  const before = reads()
  for (let message = 0; message < 100; message++)
    assert.equal(await smarthosts.smarthostFor(message % 2 ? a : b, `${message}`), undefined)
  assert.equal(reads() - before, 1)
  pass(5001)
  await smarthosts.smarthostFor(a, null)
  assert.equal(reads() - before, 2)

  await setTo(smarthosts, await scopeOf(smarthosts, a))
  const since = reads()
  for (let message = 0; message < 100; message++) await smarthosts.smarthostFor(a, null)
  assert.equal(reads() - since, 2)
})

onBothEngines('what another process changed is seen within five seconds', async (_t, open) => {
  const { a, smarthosts, withOperator: elsewhere, pass } = await world(open)
  const scope = await scopeOf(smarthosts, a)
  assert.equal((await elsewhere.smarthostFor(a, null))?.id, 'installation')
  const stored = await setTo(smarthosts, scope)
  pass(5001)
  assert.equal((await elsewhere.smarthostFor(a, null))?.id, stored.id)
  await smarthosts.remove(scope)
  pass(5001)
  assert.equal((await elsewhere.smarthostFor(a, null))?.id, 'installation')
})

onBothEngines(
  'a password opens in its place alone, and what does not open is no "none"',
  async (_t, open) => {
    const { a, b, smarthosts, otherVault, store, pass } = await world(open)
    await setTo(smarthosts, await scopeOf(smarthosts, a))
    await setTo(smarthosts, await scopeOf(smarthosts, b))
    await assert.rejects(otherVault.smarthostFor(a, null), SealBroken)
    await store.commit([{ statement: movePassword, params: [a, b] }])
    pass(5001)
    await assert.rejects(smarthosts.smarthostFor(b, null), SealBroken)
    assert.equal((await smarthosts.smarthostFor(a, null))?.login?.password, 'sécret')
    // It is mended by setting it again.
    await setTo(smarthosts, { accountId: b, domainId: null })
    assert.equal((await smarthosts.smarthostFor(b, null))?.login?.password, 'sécret')
  },
)

onBothEngines('two who set it at once leave one', async (_t, open) => {
  const { a, smarthosts, store } = await world(open)
  const scope = await scopeOf(smarthosts, a)
  await Promise.all([1025, 1026, 1027, 1028].map((port) => setTo(smarthosts, scope, { ...RELAY, port })))
  const rows = await store.all(storedRows, [])
  assert.deepEqual(
    rows.map(({ id }) => id),
    [(await smarthosts.smarthostFor(a, null))?.id],
  )
})

onBothEngines('what several do at once is told as if one came after the other', async (_t, open) => {
  const { a, smarthosts } = await world(open)
  const scope = await scopeOf(smarthosts, a)
  // Those whose commit conflicts are not told: the last call of each is the one that was made.
  const told = new Map<number, { readonly before: number | undefined; readonly after: number | undefined }>()
  const note = (who: number): RecordSmarthost => {
    return ({ before, after }) => {
      told.set(who, { before: before?.port, after: after?.port })
      return []
    }
  }
  const ports = [1025, 1026, 1027, 1028]
  await Promise.all(ports.map((port) => smarthosts.set(scope, { ...RELAY, port }, note(port))))
  assert.equal(await smarthosts.remove(scope, note(0)), true)
  assert.equal(await smarthosts.remove(scope, note(1)), false)
  const changes = [...told.values()]
  assert.equal(changes.length, 5)
  assert.deepEqual(
    changes.map(({ before }) => before ?? 0).toSorted((one, other) => one - other),
    changes.map(({ after }) => after ?? 0).toSorted((one, other) => one - other),
    'each change began where another ended',
  )
})

onBothEngines('a setting that is none changes nothing', async (_t, open) => {
  const { a, smarthosts } = await world(open)
  const scope = await scopeOf(smarthosts, a)
  const stored = await setTo(smarthosts, scope)
  const refused = await smarthosts.set(scope, { ...RELAY, host: '127.0.0.1' })
  assert.ok(typeof refused === 'object' && 'field' in refused && refused.field === 'host')
  assert.deepEqual(await smarthosts.get(scope), stored)
})

const REFUSED: Record<string, readonly Partial<SmarthostSetting>[]> = {
  host: [
    ...['', 'relay', 'localhost', 'a b.example', 'relay.example.', '.example.com', '-x.example.com'],
    ...[
      '127.0.0.1',
      '10.1.2.3',
      '192.168.0.1',
      '169.254.169.254',
      '0.0.0.0',
      '0x7f.1',
      '2130706433',
      '127.1',
    ],
    ...['::1', 'fe80::1%eth0', '2606:4700::1%1', '::ffff:10.0.0.1', '64:ff9b::7f00:1', 'fd00::1'],
    ...['[::1]', '[1.1.1.1]', 'relay.example.com:25', 'user@relay.example.com', 'posthorn.test'],
    ...['smtp.mx.posthorn.test', 'SMTP.MX.Posthorn.Test', 'relay.example.com\r\nQUIT', '\0'],
  ].map((host) => ({ host })),
  port: [0, -1, 1, 22, 26, 80, 443, 1023, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY].map((port) => ({
    port,
  })),
  tls: [{ tls: 'none' }],
  username: ['', 'a\0b', 'a\nb', '\ud800', 'x'.repeat(256)].map((username) => ({
    login: { username, password: 'p' },
  })),
  password: ['', 'a\0b', 'a\r\nb', '\udfff', 'x'.repeat(1025)].map((password) => ({
    login: { username: 'u', password },
  })),
}

test('what a customer may not set, by field', () => {
  for (const [field, settings] of Object.entries(REFUSED)) {
    for (const setting of settings) {
      const checked = checkSmarthostSetting({ ...RELAY, ...setting }, service.domain)
      assert.ok('field' in checked, JSON.stringify(setting))
      assert.equal(checked.field, field, JSON.stringify(setting))
      assert.match(checked.detail, /\.$/)
    }
  }
})

test('what a customer may set', () => {
  const without: SmarthostSetting = { host: 'relay.example.com', port: 25, tls: 'none' }
  assert.deepEqual(checkSmarthostSetting(without, service.domain), without)
  for (const port of [25, 465, 587, 1024, 2525, 65_535])
    assert.deepEqual(checkSmarthostSetting({ ...RELAY, port }, service.domain), { ...RELAY, port })
  const spelled = { 'Relay.Example.COM': 'relay.example.com', 'bücher.example': 'xn--bcher-kva.example' }
  for (const [host, name] of Object.entries({
    ...spelled,
    '1.1.1.1': '1.1.1.1',
    '2606:4700::A': '2606:4700::a',
  }))
    assert.deepEqual(checkSmarthostSetting({ ...RELAY, host }, service.domain), { ...RELAY, host: name })
})

test('no text is a host that could end a line or lead inside', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.ipV4(), fc.ipV6(), fc.domain()), (host) => {
      const checked = checkSmarthostSetting({ ...RELAY, host }, service.domain)
      if ('field' in checked) return
      assert.match(checked.host, /^[a-z0-9.:-]{3,253}$/)
      assert.doesNotMatch(checked.host, /(^|\.)posthorn\.test$/)
      if (isIP(checked.host)) assert.ok(isPublicAddress(checked.host), checked.host)
    }),
  )
})
