import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { openDnsDoor } from '#ingress/dns/dns-server.ts'
import { serviceNames } from '#model/service.ts'
import { delegationLookup } from '#net/delegation.ts'
import { systemResolver } from '#net/resolver.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { authorityOver } from './authority.ts'
import { openDomains } from './domains.ts'
import { LOOPBACK_ADDRESSES } from './service-zone.ts'
import { inside, zoneContents } from './zone-contents.ts'
import type { ZoneRecord } from './zone-record.ts'
import type { Zone } from './zones.ts'

const service = serviceNames('posthorn.test')

/** The world's DNS: one top-level domain, `example`, with what a test puts into it. */
async function publicDns(t: TestContext) {
  let records: ZoneRecord[] = []
  const contents = () =>
    zoneContents({
      apex: 'example',
      nameServers: ['ns.example'],
      responsible: 'hostmaster.example',
      serial: 1,
      records: [{ name: 'ns.example', ttl: 60, type: 'A', data: '127.0.0.1' }, ...records],
    })
  const authority = authorityOver(async (name) => (inside(name, 'example') ? contents() : undefined))
  const door = await openDnsDoor({
    port: 0,
    hosts: ['127.0.0.1'],
    authority,
    log: { error: () => assert.fail() },
  })
  let closed = false
  const close = async () => {
    if (!closed) await door.close()
    closed = true
  }
  t.after(close)
  const resolver = systemResolver({ servers: [`127.0.0.1:${door.port}`], timeoutMs: 500, tries: 1 })
  const lookups = {
    txt: (name: string) => resolver.txt(name),
    ...delegationLookup({ resolver, port: door.port, mayAsk: () => true, timeoutMs: 1000 }),
  }
  const publish = (...now: ZoneRecord[]) => {
    records = now
  }
  return { lookups, publish, close }
}

async function world(t: TestContext, open: OpenStore) {
  const dns = await publicDns(t)
  const { store } = open
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store, clock })
  const [a, b] = [(await accounts.createAccount('A')).id, (await accounts.createAccount('B')).id]
  const domains = openDomains({
    ...{ store, vault: openVault(randomBytes(32)), service, addresses: LOOPBACK_ADDRESSES, clock },
    ownership: dns.lookups,
  })
  async function claim(accountId: string, name = 'shop.example'): Promise<Zone> {
    const claimed = await domains.zoneControl.claim(accountId, name, {})
    assert.ok(claimed.kind === 'created', claimed.kind)
    return claimed.zone
  }
  async function status(zone: Zone): Promise<string | undefined> {
    return (await domains.zone(zone.accountId, zone.id))?.status
  }
  const soa = async (name = 'shop.example') => (await domains.authority.answers(name, 'SOA')).kind
  const wait = (ms: number) => {
    now += ms
  }
  return { ...dns, a, b, domains, claim, status, soa, wait }
}

const txt = (name: string, text: string): ZoneRecord => ({ name, ttl: 60, type: 'TXT', text })
const ns = (name: string, data: string): ZoneRecord => ({ name, ttl: 60, type: 'NS', data })
const proofIn = (zone: Zone) => txt(`_posthorn-challenge.${zone.name}`, `posthorn-verification=${zone.id}`)

onBothEngines('a zone is inert until its TXT record is in DNS', async (t, open) => {
  const { a, domains, claim, status, soa, publish, wait } = await world(t, open)
  const zone = await claim(a)
  assert.deepEqual([zone.status, await soa()], ['pending', 'refused'])
  const request = { accountId: a, zoneId: zone.id, name: zone.name, active: true }
  assert.equal((await domains.onboardSending(request)).kind, 'pending-zone')
  const { txt: record } = domains.zoneControl.proofOf(zone)

  const checked = await domains.zoneControl.check(zone)
  assert.equal(checked.status, 'pending')
  assert.match(
    checked.checkDetail ?? '',
    /no TXT record of _posthorn-challenge\.shop\.example.*delegated to no/s,
  )
  assert.ok(checked.checkDetail?.includes(record.content))

  publish(txt(record.name, 'something else'), txt(record.name, record.content))
  assert.equal((await domains.zoneControl.check(checked)).status, 'pending', 'asked a moment ago')
  wait(11_000)
  const [before = zone] = await domains.zones(a)
  assert.equal((await domains.zoneControl.check(before)).status, 'active')
  assert.deepEqual([await status(zone), await soa()], ['active', 'answer'])
})

onBothEngines('a zone is proven by its own name servers, and by no others of ours', async (t, open) => {
  const { a, b, domains, claim, status, publish, wait } = await world(t, open)
  const [zone, other] = [await claim(a), await claim(b)]
  publish(ns(zone.name, 'ns1.posthorn.test'), ns(zone.name, 'ns2.posthorn.test'))
  const checked = await domains.zoneControl.check(zone)
  assert.match(checked.checkDetail ?? '', /delegated to ns1\.posthorn\.test, ns2\.posthorn\.test/)
  wait(61_000)
  publish(...domains.zoneControl.proofOf(zone).nameServers.map((host) => ns(zone.name, host)))
  assert.equal(await domains.zoneControl.checkPending(), 1)
  assert.deepEqual([await status(zone), await status(other)], ['active', 'pending'])
})

onBothEngines('pending zones are looked at by themselves, less and less often', async (t, open) => {
  const { a, domains, claim, status, publish, wait } = await world(t, open)
  const zone = await claim(a)
  assert.equal(await domains.zoneControl.checkPending(), 0)
  publish(proofIn(zone))
  wait(30_000)
  assert.equal(await domains.zoneControl.checkPending(), 0, 'looked at half a minute ago')
  wait(31_000)
  assert.equal(await domains.zoneControl.checkPending(), 1)
  assert.equal(await status(zone), 'active')

  const late = await claim(a, 'late.example')
  wait(10 * 3_600_000)
  assert.equal(await domains.zoneControl.checkPending(), 0)
  publish(proofIn(late))
  wait(30 * 60_000)
  assert.equal(await domains.zoneControl.checkPending(), 0, 'ten hours old: hourly')
  wait(60 * 60_000)
  assert.equal(await domains.zoneControl.checkPending(), 1)
})

onBothEngines(
  'a name passes on to who proves it, once it is no longer proven where it was',
  async (t, open) => {
    const { a, b, domains, claim, status, publish, wait } = await world(t, open)
    const [mine, below, theirs] = [await claim(a), await claim(a, 'x.shop.example'), await claim(b)]
    publish(proofIn(mine), proofIn(below))
    await domains.zoneControl.checkPending()
    assert.deepEqual([await status(mine), await status(below)], ['active', 'active'])
    const request = { accountId: a, zoneId: mine.id, name: mine.name, active: true }
    assert.equal((await domains.onboardSending(request)).kind, 'onboarded')
    assert.equal((await domains.senderDomain(a, mine.name)).kind, 'sending')

    publish(proofIn(mine), proofIn(theirs))
    wait(61_000)
    assert.equal(await domains.zoneControl.checkPending(), 0)
    const [held] = await domains.zones(b)
    assert.match(held?.checkDetail ?? '', /active in another account/)

    const notes: (string | undefined)[] = []
    publish(proofIn(theirs))
    wait(61_000)
    await domains.zoneControl.checkPending(({ before, after }) => {
      notes.push(`${after?.name} ${before?.status} ${after?.status}`)
      return []
    })
    assert.deepEqual(
      [await status(theirs), await status(mine), await status(below)],
      ['active', 'pending', 'pending'],
    )
    assert.deepEqual(notes, [
      'shop.example active pending',
      'x.shop.example active pending',
      'shop.example pending active',
    ])
    assert.equal((await domains.senderDomain(a, mine.name)).kind, 'unverified')
  },
)

onBothEngines('who has a name below has no claim on what is above it', async (t, open) => {
  const { a, b, domains, claim, status, publish, wait } = await world(t, open)
  const [above, below] = [await claim(a), await claim(b, 'blog.shop.example')]
  publish(proofIn(above))
  await domains.zoneControl.checkPending()
  publish(proofIn(below))
  wait(61_000)
  await domains.zoneControl.checkPending()
  assert.deepEqual([await status(above), await status(below)], ['active', 'pending'])
})

onBothEngines('silence of DNS decides nothing', async (t, open) => {
  const { a, domains, claim, close } = await world(t, open)
  const zone = await claim(a)
  await close()
  const checked = await domains.zoneControl.check(zone)
  assert.equal(checked.status, 'pending')
  assert.match(checked.checkDetail ?? '', /could not be asked/)
})
