import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { serviceNames } from '#model/service.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { openDomains } from './domains.ts'
import type { GivenRecord } from './read-record.ts'
import { LOOPBACK_ADDRESSES } from './service-zone.ts'

const service = serviceNames('posthorn.test')

async function world(open: OpenStore) {
  const { store } = open
  const clock = () => 1_800_000_000_000
  const accounts = openAccounts({ store, clock })
  const [a, b] = [(await accounts.createAccount('A')).id, (await accounts.createAccount('B')).id]
  const parts = { store, vault: openVault(randomBytes(32)), service, addresses: LOOPBACK_ADDRESSES, clock }
  const domains = openDomains(parts)
  const claimed = await domains.zoneControl.claim(a, 'yourdomain.com', {})
  assert.ok(claimed.kind === 'created')
  const { zone } = claimed
  const { records } = domains.zoneControl
  const place = { accountId: a, zoneId: zone.id }
  async function create(given: Partial<GivenRecord>) {
    const outcome = await records.create(place, { name: 'www', type: 'TXT', content: 'x', ...given })
    assert.ok(outcome.kind === 'done', JSON.stringify(outcome))
    return outcome.record
  }
  async function dig(name: string, type: string): Promise<string[]> {
    const answer = await domains.authority.answers(name, type)
    if (answer.kind !== 'answer') return [answer.kind]
    return answer.records.map((record) =>
      record.type === 'TXT' ? record.text : 'data' in record ? record.data : record.type,
    )
  }
  async function serial(): Promise<number> {
    const answer = await domains.authority.answers('yourdomain.com', 'SOA')
    const [soa] = answer.kind === 'answer' ? answer.records : []
    return soa?.type === 'SOA' ? soa.serial : 0
  }
  const elsewhere = openDomains(parts)
  return { a, b, domains, elsewhere, zone, records, place, create, dig, serial }
}

onBothEngines('a record is made, changed and removed, and DNS says so at once', async (_t, open) => {
  const { records, place, create, dig, serial } = await world(open)
  const serials = [await serial()]
  const made = await create({ content: 'one', ttl: 60 })
  assert.deepEqual(await dig('www.yourdomain.com', 'TXT'), ['one'])
  serials.push(await serial())
  const at = { ...place, recordId: made.id }
  const edited = await records.edit(at, { content: 'two' })
  assert.ok(edited.kind === 'done')
  assert.deepEqual([edited.record.content, edited.record.ttl], ['two', 60])
  assert.deepEqual(await dig('www.yourdomain.com', 'TXT'), ['two'])
  serials.push(await serial())
  const replaced = await records.replace(at, { name: 'other', type: 'A', content: '192.0.2.7' })
  assert.ok(replaced.kind === 'done')
  assert.deepEqual([replaced.record.ttl, replaced.record.id], [1, made.id])
  assert.deepEqual(await dig('other.yourdomain.com', 'A'), ['192.0.2.7'])
  assert.deepEqual(await dig('www.yourdomain.com', 'TXT'), ['nxdomain'])
  serials.push(await serial())
  assert.deepEqual(await records.list(place.accountId, place.zoneId), [replaced.record])
  assert.equal((await records.remove(at)).kind, 'done')
  assert.deepEqual(await dig('other.yourdomain.com', 'A'), ['nxdomain'])
  assert.deepEqual(await records.remove(at), { kind: 'unknown' })
  serials.push(await serial())
  assert.deepEqual(
    serials,
    serials.toSorted((one, other) => one - other),
  )
  assert.equal(new Set(serials).size, serials.length)
})

onBothEngines('RFC 1034 §3.6.2: an alias stands alone', async (_t, open) => {
  const { records, place, create } = await world(open)
  const alias = await create({ name: 'alias', type: 'CNAME', content: 'x.example' })
  await create({ name: 'host', type: 'A', content: '192.0.2.1' })
  const clash = async (given: GivenRecord) => (await records.create(place, given)).kind
  assert.equal(await clash({ name: 'alias', type: 'A', content: '192.0.2.1' }), 'conflicting')
  assert.equal(await clash({ name: 'alias', type: 'CNAME', content: 'y.example' }), 'conflicting')
  assert.equal(await clash({ name: 'alias', type: 'CNAME', content: 'x.example' }), 'identical')
  assert.equal(await clash({ name: 'host', type: 'CNAME', content: 'y.example' }), 'conflicting')
  const edited = await records.edit({ ...place, recordId: alias.id }, { content: 'y.example' })
  assert.equal(edited.kind, 'done')
})

onBothEngines(
  'of two that change a zone at once, neither undoes what the other looked at',
  async (_t, open) => {
    const { records, elsewhere, place } = await world(open)
    const there = elsewhere.zoneControl.records
    const outcomes = await Promise.all([
      records.create(place, { name: 'one', type: 'CNAME', content: 'x.example' }),
      there.create(place, { name: 'one', type: 'A', content: '192.0.2.1' }),
      records.create(place, { name: 'one', type: 'TXT', content: 'text' }),
      there.create(place, { name: 'one', type: 'CNAME', content: 'z.example' }),
    ])
    const rows = (await records.list(place.accountId, place.zoneId)) ?? []
    const aliases = rows.filter(({ type }) => type === 'CNAME').length
    assert.ok(aliases === 0 || rows.length === 1, JSON.stringify(rows))
    assert.equal(outcomes.filter(({ kind }) => kind === 'done').length, rows.length)
  },
)

onBothEngines(
  'what the service has locked is not its owner’s to change, nor to compete with',
  async (_t, open) => {
    const { domains, records, place, zone } = await world(open)
    const set = domains.dnsProvider(zone).put(
      zone,
      [
        { name: zone.name, type: 'MX', content: 'route1.mx.posthorn.test', priority: 13 },
        {
          name: zone.name,
          type: 'TXT',
          content: 'v=spf1 include:_spf.mx.posthorn.test ~all',
          priority: null,
        },
        { name: `cf2024-1._domainkey.${zone.name}`, type: 'TXT', content: 'v=DKIM1; p=abc', priority: null },
        {
          name: `_dmarc.${zone.name}`,
          type: 'TXT',
          content: 'v=DMARC1; p=reject;',
          priority: null,
          locked: false,
        },
      ],
      { purpose: 'routing', locked: true, at: 1 },
    )
    assert.ok((await open.store.commit(set)).ok)
    domains.recordsChanged(zone.id)
    const rows = (await records.list(place.accountId, place.zoneId)) ?? []
    for (const { id, locked } of rows) {
      const at = { ...place, recordId: id }
      if (!locked) continue
      assert.equal((await records.edit(at, { ttl: 60 })).kind, 'locked')
      assert.equal((await records.replace(at, { name: '@', type: 'TXT', content: 'x' })).kind, 'locked')
      assert.equal((await records.remove(at)).kind, 'locked')
    }
    const attempt = async (given: Omit<GivenRecord, 'ttl'>) => (await records.create(place, given)).kind
    assert.equal(
      await attempt({ name: '@', type: 'MX', content: 'mx.x.example', priority: 5 }),
      'conflicting',
    )
    assert.equal(await attempt({ name: '@', type: 'TXT', content: 'v=spf1 -all' }), 'conflicting')
    assert.equal(
      await attempt({ name: 'cf2024-1._domainkey', type: 'TXT', content: 'v=DKIM1; p=' }),
      'conflicting',
    )
    assert.equal(await attempt({ name: '@', type: 'TXT', content: 'site-verification=1' }), 'done')
    assert.equal(await attempt({ name: 'sub', type: 'MX', content: 'mx.x.example', priority: 5 }), 'done')
    const dmarc = rows.find(({ name }) => name.startsWith('_dmarc'))
    const eased = await records.edit({ ...place, recordId: dmarc?.id ?? '' }, { content: 'v=DMARC1; p=none' })
    assert.ok(eased.kind === 'done' && eased.record.purpose === 'owner')

    const ids = rows.filter(({ locked }) => locked).map(({ id }) => id)
    assert.ok((await open.store.commit(domains.dnsProvider(zone).lock(zone, ids, false, 2))).ok)
    for (const recordId of ids) assert.equal((await records.remove({ ...place, recordId })).kind, 'done')
  },
)

onBothEngines('nobody reaches the records of another account', async (_t, open) => {
  const { b, records, place, create } = await world(open)
  const { id } = await create({})
  const theirs = { accountId: b, zoneId: place.zoneId, recordId: id }
  assert.equal(await records.list(b, place.zoneId), undefined)
  assert.deepEqual(await records.create(theirs, { name: 'x', type: 'TXT', content: 'x' }), {
    kind: 'unknown',
  })
  assert.deepEqual(await records.edit(theirs, { content: 'x' }), { kind: 'unknown' })
  assert.deepEqual(await records.remove(theirs), { kind: 'unknown' })
})

onBothEngines('a manual zone has no records here, and takes none', async (_t, open) => {
  const { a, domains, dig } = await world(open)
  const claimed = await domains.zoneControl.claim(a, 'pasted.example', { type: 'partial' })
  assert.ok(claimed.kind === 'created' && claimed.zone.dns === 'manual')
  const place = { accountId: a, zoneId: claimed.zone.id }
  const refused = await domains.zoneControl.records.create(place, { name: '@', type: 'TXT', content: 'x' })
  assert.equal(refused.kind, 'not-hosted')
  const provider = domains.dnsProvider(claimed.zone)
  const record = { name: 'pasted.example', type: 'TXT', content: 'x', priority: null }
  assert.deepEqual(provider.put(claimed.zone, [record], { purpose: 'sending', at: 1 }), [])
  assert.equal(provider.publishes(claimed.zone, 'pasted.example'), false)
  assert.deepEqual(await dig('pasted.example', 'SOA'), ['refused'])
})

onBothEngines(
  'of a hosted zone that stays elsewhere only the delegated names are answered',
  async (_t, open) => {
    const { a, domains, dig } = await world(open)
    const claimed = await domains.zoneControl.claim(a, 'split.example', { type: 'partial', dns: 'hosted' })
    assert.ok(claimed.kind === 'created')
    const { zone } = claimed
    const provider = domains.dnsProvider(zone)
    const names = [
      'split.example',
      'cf-bounce.split.example',
      'cf-bounce._domainkey.split.example',
      '_dmarc.split.example',
    ]
    const records = names.map((name) => ({ name, type: 'TXT', content: `at ${name}`, priority: null }))
    assert.ok((await open.store.commit(provider.put(zone, records, { purpose: 'sending', at: 1 }))).ok)
    domains.recordsChanged(zone.id)
    const [apex = '', ...delegated] = names
    assert.equal(provider.publishes(zone, apex), false)
    assert.deepEqual(await domains.zoneControl.proofOf(zone).delegatedNames(), delegated.toSorted())
    for (const name of delegated) {
      assert.deepEqual(await dig(name, 'TXT'), [`at ${name}`])
      assert.deepEqual(await dig(name, 'NS'), domains.zoneControl.proofOf(zone).nameServers)
      // RFC 2308 §3: the SOA of an absence is that of the zone as it was delegated.
      const absent = await domains.authority.answers(`x.${name}`, 'TXT')
      assert.ok(absent.kind === 'nxdomain' && absent.soa.name === name)
    }
    for (const name of [apex, 'www.split.example', '_domainkey.split.example'])
      assert.deepEqual(await dig(name, 'TXT'), ['refused'], name)
  },
)

onBothEngines('a removed zone takes all that is its own along, and nothing else', async (_t, open) => {
  const { a, domains, zone, create, dig } = await world(open)
  await create({ name: '@', content: 'text' })
  const request = { accountId: a, zoneId: zone.id, name: zone.name, active: true }
  assert.equal((await domains.onboardSending(request)).kind, 'onboarded')
  assert.equal((await domains.senderDomain(a, zone.name)).kind, 'sending')
  assert.equal(await domains.accountOfZone(zone.id), a)
  assert.equal(await domains.zoneControl.remove(zone), true)
  assert.equal(await domains.zoneControl.remove(zone), false)
  assert.deepEqual(await dig('yourdomain.com', 'TXT'), ['refused'])
  assert.equal((await domains.senderDomain(a, zone.name)).kind, 'unknown')
  assert.equal(await domains.holder(zone.name), undefined)
  assert.equal(await domains.accountOfZone(zone.id), undefined)
  assert.equal((await domains.zoneControl.claim(a, zone.name, {})).kind, 'created')
})

onBothEngines('no delegation takes what the service has locked out of DNS', async (_t, open) => {
  const { a, domains, zone, records, place, create, dig } = await world(open)
  const request = { accountId: a, zoneId: zone.id, name: 'news.yourdomain.com', active: true }
  assert.equal((await domains.onboardSending(request)).kind, 'onboarded')
  const spf = await dig('cf-bounce.news.yourdomain.com', 'TXT')
  const ns = { type: 'NS', content: 'ns.example.net' }
  const made = await create({ name: 'x', ...ns })
  for (const name of ['news', 'cf-bounce.news', '_domainkey.news', 'cf-bounce._domainkey.news']) {
    const refused = await records.create(place, { name, ...ns })
    assert.ok(refused.kind === 'conflicting', `${name}: ${refused.kind}`)
    assert.match(refused.detail, /is managed by the service, and a delegation of/)
    assert.equal((await records.edit({ ...place, recordId: made.id }, { name })).kind, 'conflicting')
  }
  assert.deepEqual(await dig('cf-bounce.news.yourdomain.com', 'TXT'), spf)
  // Beside them and below them there is nothing of ours.
  await create({ name: 'newsletter', ...ns })
  await create({ name: 'sub.news', ...ns })
})
