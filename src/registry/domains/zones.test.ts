import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { serviceNames } from '#model/service.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import type { AuthorityAnswer } from './authority.ts'
import { openDomains } from './domains.ts'
import { LOOPBACK_ADDRESSES } from './service-zone.ts'

const service = serviceNames('posthorn.test')
const everyZone = statement<{ readonly name: string }>('test.zones', 'select name from zone')

async function world(open: OpenStore) {
  const clock = () => 1_800_000_000_000
  const { store } = open
  const parts = { store, vault: openVault(randomBytes(32)), service, addresses: LOOPBACK_ADDRESSES, clock }
  const accounts = openAccounts({ store, clock })
  const a = (await accounts.createAccount('A')).id
  const b = (await accounts.createAccount('B')).id
  return { a, b, domains: openDomains(parts), elsewhere: openDomains(parts) }
}

const active = { active: true }
const pending = { active: false }

function texts(answer: AuthorityAnswer): string[] {
  if (answer.kind !== 'answer') return [answer.kind]
  return answer.records.map((record) => (record.type === 'TXT' ? record.text : record.type))
}

onBothEngines('a zone is made once and found again', async (_t, open) => {
  const { a, domains } = await world(open)
  const created = await domains.createZone(a, 'yourdomain.com', active)
  assert.ok(created.kind === 'created')
  assert.match(created.zone.id, /^[0-9a-f]{32}$/)
  assert.deepEqual(await domains.createZone(a, 'yourdomain.com', active), {
    kind: 'existed',
    zone: created.zone,
  })
  assert.deepEqual(await domains.zone(a, created.zone.id), created.zone)
  assert.deepEqual(await domains.zones(a), [created.zone])
})

onBothEngines('no account sees a zone of another', async (_t, open) => {
  const { a, b, domains } = await world(open)
  const created = await domains.createZone(a, 'yourdomain.com', active)
  assert.ok(created.kind === 'created')
  assert.equal(await domains.zone(b, created.zone.id), undefined)
  assert.deepEqual(await domains.zones(b), [])
})

onBothEngines('a name is active in one account at a time, with all above and below it', async (_t, open) => {
  const { a, b, domains } = await world(open)
  await domains.createZone(a, 'your_domain.com', active)
  for (const name of ['your_domain.com', 'mail.your_domain.com', 'a.b.c.your_domain.com', 'com'])
    assert.deepEqual(await domains.createZone(b, name, active), { kind: 'taken' }, name)
  for (const name of ['yourxdomain.com', 'notyour_domain.com', 'main.com'])
    assert.equal((await domains.createZone(b, name, active)).kind, 'created', name)
  assert.equal((await domains.createZone(a, 'mail.your_domain.com', active)).kind, 'created')
})

onBothEngines('pending zones compete for a name, and block nobody', async (_t, open) => {
  const { a, b, domains } = await world(open)
  assert.equal((await domains.createZone(a, 'yourdomain.com', pending)).kind, 'created')
  assert.equal((await domains.createZone(b, 'yourdomain.com', pending)).kind, 'created')
  const c = (await openAccounts({ store: open.store, clock: Date.now }).createAccount('C')).id
  assert.equal((await domains.createZone(c, 'yourdomain.com', active)).kind, 'created')
})

onBothEngines('of many accounts that claim a name at once, one gets it', async (_t, open) => {
  const { a, b, domains, elsewhere } = await world(open)
  const claims = await Promise.all([
    domains.createZone(a, 'yourdomain.com', active),
    elsewhere.createZone(b, 'yourdomain.com', active),
    elsewhere.createZone(a, 'yourdomain.com', active),
    domains.createZone(b, 'yourdomain.com', active),
  ])
  assert.equal(claims.filter(({ kind }) => kind === 'created').length, 1)
  assert.equal((await open.store.all(everyZone, [])).length, 1)
})

onBothEngines('the service’s own names, and names deeper than any zone, are nobody’s', async (_t, open) => {
  const { a, domains } = await world(open)
  for (const name of ['posthorn.test', 'email.posthorn.test', 'x.y.posthorn.test'])
    assert.deepEqual(await domains.createZone(a, name, active), { kind: 'reserved' })
  assert.equal((await domains.createZone(a, 'test', active)).kind, 'created')
  const deep = `${'a.'.repeat(9)}com`
  assert.equal((await domains.createZone(a, deep, active)).kind, 'created')
  assert.deepEqual(await domains.createZone(a, `b.${deep}`, active), { kind: 'too-deep', labels: 10 })
  assert.deepEqual(texts(await domains.authority.answers(`x.y.${deep}`, 'TXT')), ['nxdomain'])
})

onBothEngines(
  'a pending zone has no answers, an active one has; the deepest zone answers',
  async (_t, open) => {
    const { a, domains } = await world(open)
    await domains.createZone(a, 'pending.example', pending)
    await domains.createZone(a, 'active.example', active)
    await domains.createZone(a, 'deep.active.example', active)
    assert.deepEqual(texts(await domains.authority.answers('pending.example', 'SOA')), ['refused'])
    assert.deepEqual(texts(await domains.authority.answers('active.example', 'SOA')), ['SOA'])
    const answer = await domains.authority.answers('x.DEEP.active.example.', 'TXT')
    assert.ok(answer.kind === 'nxdomain')
    assert.equal(answer.soa.name, 'deep.active.example')
  },
)

onBothEngines('the service domain answers for its own hosts', async (_t, open) => {
  const { domains, elsewhere } = await world(open)
  const ask = async (name: string, type: string) => texts(await domains.authority.answers(name, type))
  assert.deepEqual(await ask('cf2024-1._domainkey.email.posthorn.test', 'TXT'), ['nxdomain'])
  const [one, two] = await Promise.all([domains.ensureServiceKeys(), elsewhere.ensureServiceKeys()])
  assert.ok(one.key.equals(two.key))
  assert.deepEqual([one.domain, one.selector], ['email.posthorn.test', 'cf2024-1'])
  const [dkim = ''] = await ask('cf2024-1._domainkey.email.posthorn.test', 'TXT')
  assert.match(dkim, /^v=DKIM1; h=sha256; k=rsa; p=/)

  assert.deepEqual(await ask('_spf.mx.posthorn.test', 'TXT'), ['v=spf1 ip4:127.0.0.0/8 ip6:::1 ~all'])
  assert.deepEqual(await ask('pass.posthorn.test', 'TXT'), ['v=spf1 ip4:127.0.0.0/8 ip6:::1 -all'])
  assert.deepEqual(await ask('email.posthorn.test', 'TXT'), ['v=spf1 include:_spf.mx.posthorn.test ~all'])
  assert.deepEqual(await ask('email.posthorn.test', 'MX'), ['MX', 'MX', 'MX'])
  for (const host of [...service.routes, service.submission, 'ns1.posthorn.test', 'ns2.posthorn.test']) {
    assert.deepEqual(await ask(host, 'A'), ['A'], host)
    assert.deepEqual(await ask(host, 'AAAA'), ['AAAA'], host)
  }
  assert.deepEqual(await ask('mx.posthorn.test', 'A'), ['nodata'])
  assert.deepEqual(await ask('posthorn.test', 'NS'), ['NS', 'NS'])
  for (const host of ['simulator.posthorn.test', 'route4.mx.posthorn.test'])
    assert.deepEqual(await ask(host, 'MX'), ['nxdomain'], host)
})
