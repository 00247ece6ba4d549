import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { serviceNames } from '#model/service.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { newId } from '#store/id.ts'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import type { AuthorityAnswer } from './authority.ts'
import { type Domains, openDomains } from './domains.ts'
import { DOMAINS_PER_ZONE } from './mail-domain.ts'
import type { SenderDomain } from './sender-domain.ts'
import { LOOPBACK_ADDRESSES } from './service-zone.ts'

const service = serviceNames('posthorn.test')

const sealedKeys = statement<{ readonly private_key: string }>(
  'test.keys',
  'select private_key from dkim_key',
)
const recordRows = statement<{
  readonly name: string
  readonly locked: number
  readonly purpose: string
  readonly ttl: number
}>(
  'test.records',
  'select name, type, content, locked, purpose, ttl, priority from dns_record order by name, type, priority',
)
const addRecord = statement(
  'test.add-record',
  `insert into dns_record (id, zone_id, account_id, name, type, content, priority, ttl, locked, purpose, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, 1, 0, 'custom', 0)`,
)
const addDomain = statement(
  'test.add-domain',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at) values ($1, $2, $3, $4, 'none', 'active', 1, 0, 0, 0)`,
)
const setStatus = statement('test.set-status', 'update domain set sending = $2, routing = $3 where name = $1')

const setZone = statement('test.set-zone', 'update zone set status = $2 where name = $1')

async function world(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const parts = {
    store: open.store,
    vault: openVault(randomBytes(32)),
    service,
    addresses: LOOPBACK_ADDRESSES,
    clock,
  }
  const accounts = openAccounts({ store: open.store, clock })
  const a = (await accounts.createAccount('A')).id
  const b = (await accounts.createAccount('B')).id
  const domains = openDomains(parts)
  return {
    a,
    b,
    domains,
    /** The same database seen by another process. */
    elsewhere: openDomains(parts),
    pass: (ms: number) => (now += ms),
    record: (zoneId: string, name: string, type: string, content: string) =>
      open.store.commit([
        {
          statement: addRecord,
          params: [newId(), zoneId, a, name, type, content, type === 'MX' ? 10 : null],
        },
      ]),
  }
}

async function activeZone(domains: Domains, accountId: string, name = 'yourdomain.com'): Promise<string> {
  const created = await domains.createZone(accountId, name, { active: true })
  assert.ok(created.kind === 'created', created.kind)
  return created.zone.id
}

function request(accountId: string, zoneId: string, name = 'yourdomain.com') {
  return { accountId, zoneId, name, active: true }
}

function said(answer: AuthorityAnswer): string[] {
  if (answer.kind !== 'answer') return [answer.kind]
  return answer.records.map((record) => {
    if (record.type === 'MX') return `${record.preference} ${record.exchange}`
    if (record.type === 'TXT') return record.text
    return 'data' in record ? record.data : record.type
  })
}

/** Checks that DNS holds the public half of the key the domain signs with. */
async function assertKeyInDns(domains: Domains, sender: SenderDomain): Promise<void> {
  assert.ok(sender.kind === 'sending' || sender.kind === 'routing-only')
  const { domain, selector, key } = sender.signing
  const [record = ''] = said(await domains.authority.answers(`${selector}._domainkey.${domain}`, 'TXT'))
  assert.match(record, /^v=DKIM1; h=sha256; k=rsa; p=[A-Za-z0-9+/]{392}$/)
  const der = Buffer.from(record.replace(/^.*p=/, ''), 'base64')
  const content = Buffer.from('signed')
  const signature = sign('rsa-sha256', content, key)
  assert.ok(
    verify('rsa-sha256', content, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature),
  )
}

onBothEngines(
  'a domain onboarded for sending has the records of the page, and DNS answers them',
  async (_t, open) => {
    const { a, domains } = await world(open)
    const zoneId = await activeZone(domains, a)
    const onboarded = await domains.onboardSending(request(a, zoneId))
    assert.ok(onboarded.kind === 'onboarded' && onboarded.status === 'active')
    const ask = async (name: string, type: string) => said(await domains.authority.answers(name, type))
    assert.deepEqual(await ask('cf-bounce.yourdomain.com', 'MX'), [
      '13 route1.mx.posthorn.test',
      '24 route2.mx.posthorn.test',
      '86 route3.mx.posthorn.test',
    ])
    assert.deepEqual(await ask('cf-bounce.yourdomain.com', 'TXT'), [
      'v=spf1 include:_spf.mx.posthorn.test ~all',
    ])
    assert.deepEqual(await ask('_dmarc.yourdomain.com', 'TXT'), ['v=DMARC1; p=reject;'])
    assert.deepEqual(await ask('yourdomain.com', 'MX'), ['nodata'])
    const own = zoneId.slice(-16)
    assert.deepEqual(await ask('yourdomain.com', 'NS'), [
      `${own}.ns1.posthorn.test`,
      `${own}.ns2.posthorn.test`,
    ])

    const sender = await domains.senderDomain(a, 'yourdomain.com')
    assert.ok(sender.kind === 'sending')
    assert.deepEqual(
      { ...sender, signing: { domain: sender.signing.domain, selector: sender.signing.selector } },
      {
        kind: 'sending',
        domainId: onboarded.domainId,
        zoneId,
        name: 'yourdomain.com',
        returnPathDomain: 'cf-bounce.yourdomain.com',
        signing: { domain: 'yourdomain.com', selector: 'cf-bounce' },
        previewEnabled: true,
        dropSuppressedRecipients: false,
      },
    )
    await assertKeyInDns(domains, sender)
  },
)

onBothEngines(
  'a domain with routing only has its records at the apex and signs with cf2024-1',
  async (_t, open) => {
    const { a, domains } = await world(open)
    const zoneId = await activeZone(domains, a)
    await domains.onboardRouting(request(a, zoneId))
    const ask = async (name: string, type: string) => said(await domains.authority.answers(name, type))
    assert.equal((await ask('yourdomain.com', 'MX')).length, 3)
    assert.deepEqual(await ask('yourdomain.com', 'TXT'), ['v=spf1 include:_spf.mx.posthorn.test ~all'])
    assert.deepEqual(await ask('_dmarc.yourdomain.com', 'TXT'), ['nxdomain'])
    const sender = await domains.senderDomain(a, 'yourdomain.com')
    assert.ok(sender.kind === 'routing-only')
    assert.equal(sender.returnPathDomain, 'email.posthorn.test')
    assert.equal(sender.signing.selector, 'cf2024-1')
    await assertKeyInDns(domains, sender)
    assert.equal((await domains.onboardSending(request(a, zoneId))).kind, 'onboarded')
    const both = await domains.senderDomain(a, 'yourdomain.com')
    assert.equal(both.kind, 'sending')
    await assertKeyInDns(domains, both)
  },
)

onBothEngines('managed records are locked; the DMARC policy is its owner’s', async (_t, open) => {
  const { a, domains } = await world(open)
  const zoneId = await activeZone(domains, a)
  await domains.onboardSending(request(a, zoneId))
  await domains.onboardRouting(request(a, zoneId))
  const rows = await open.store.all<{ name: string; locked: number; purpose: string; ttl: number }>(
    recordRows,
    [],
  )
  assert.equal(rows.length, 6 + 5)
  for (const { name, locked, purpose, ttl } of rows) {
    assert.equal(locked, name.startsWith('_dmarc') ? 0 : 1, name)
    assert.equal(purpose, /^(cf-bounce|_dmarc)\./.test(name) ? 'sending' : 'routing', name)
    assert.equal(ttl, 1)
  }
})

onBothEngines(
  'onboarding again changes nothing and keeps the key, also where many do it at once',
  async (_t, open) => {
    const { a, domains, elsewhere } = await world(open)
    const zoneId = await activeZone(domains, a)
    const results = await Promise.all([
      domains.onboardSending(request(a, zoneId)),
      elsewhere.onboardSending(request(a, zoneId)),
      domains.onboardRouting(request(a, zoneId)),
      elsewhere.onboardRouting(request(a, zoneId)),
    ])
    const [first] = results
    for (const result of results) assert.deepEqual(result, first)
    const before = await open.store.all(recordRows, [])
    assert.equal(before.length, 6 + 5)
    assert.deepEqual(await domains.onboardSending(request(a, zoneId)), first)
    assert.deepEqual(await open.store.all(recordRows, []), before)
    assert.equal((await open.store.all(sealedKeys, [])).length, 2)
  },
)

onBothEngines('what was switched off comes back with the key it had', async (_t, open) => {
  const { a, domains, pass } = await world(open)
  const zoneId = await activeZone(domains, a)
  await domains.onboardSending(request(a, zoneId))
  const before = await open.store.all(recordRows, [])
  for (const status of ['disabled', 'none']) {
    await open.store.commit([{ statement: setStatus, params: ['yourdomain.com', status, 'none'] }])
    pass(5001)
    assert.equal(
      (await domains.senderDomain(a, 'yourdomain.com')).kind,
      status === 'none' ? 'unknown' : 'disabled',
    )
    await domains.onboardSending(request(a, zoneId))
    assert.equal((await domains.senderDomain(a, 'yourdomain.com')).kind, 'sending')
  }
  assert.deepEqual(await open.store.all(recordRows, []), before)
})

onBothEngines('a DMARC record of the domain’s own stays the only one', async (_t, open) => {
  const { a, domains, record } = await world(open)
  const zoneId = await activeZone(domains, a)
  await record(zoneId, '_dmarc.yourdomain.com', 'TXT', 'v=DMARC1; p=none; rua=mailto:dmarc@yourdomain.com')
  await domains.onboardSending(request(a, zoneId))
  assert.deepEqual(said(await domains.authority.answers('_dmarc.yourdomain.com', 'TXT')), [
    'v=DMARC1; p=none; rua=mailto:dmarc@yourdomain.com',
  ])
})

onBothEngines('records that would compete with ours are named, and nothing is changed', async (_t, open) => {
  const { a, domains, record } = await world(open)
  const zoneId = await activeZone(domains, a)
  await record(zoneId, 'yourdomain.com', 'MX', 'mail.example.net')
  // Which of two SPF records would be merged into, nobody can tell.
  await record(zoneId, 'yourdomain.com', 'TXT', 'v=spf1 include:_spf.example.net ~all')
  await record(zoneId, 'yourdomain.com', 'TXT', 'v=spf1 mx -all')
  await record(zoneId, 'yourdomain.com', 'TXT', 'site-verification=1')
  const before = await open.store.all(recordRows, [])
  const refused = await domains.onboardRouting(request(a, zoneId))
  assert.ok(refused.kind === 'conflicting-records', refused.kind)
  assert.deepEqual(refused.records.toSorted(), [
    'MX yourdomain.com mail.example.net',
    'TXT yourdomain.com v=spf1 include:_spf.example.net ~all',
    'TXT yourdomain.com v=spf1 mx -all',
  ])
  assert.deepEqual(await open.store.all(recordRows, []), before)
  assert.equal((await domains.onboardSending(request(a, zoneId))).kind, 'onboarded')
})

onBothEngines('a domain is onboarded only inside an active zone of its account', async (_t, open) => {
  const { a, b, domains } = await world(open)
  const zoneId = await activeZone(domains, a)
  const pending = await domains.createZone(a, 'pending.example', { active: false })
  assert.ok(pending.kind === 'created')
  assert.deepEqual(await domains.onboardSending(request(b, zoneId)), { kind: 'unknown-zone' })
  assert.deepEqual(await domains.onboardSending(request(a, '0'.repeat(32))), { kind: 'unknown-zone' })
  for (const name of ['example.com', 'notyourdomain.com', 'com'])
    assert.deepEqual(await domains.onboardSending(request(a, zoneId, name)), {
      kind: 'outside-zone',
      zone: 'yourdomain.com',
    })
  assert.deepEqual(await domains.onboardSending(request(a, pending.zone.id, 'pending.example')), {
    kind: 'pending-zone',
  })
})

onBothEngines('a subdomain is onboarded on its own, thirty domains to a zone', async (_t, open) => {
  const { a, domains } = await world(open)
  const zoneId = await activeZone(domains, a)
  assert.equal((await domains.onboardSending(request(a, zoneId, 'mail.yourdomain.com'))).kind, 'onboarded')
  assert.equal((await domains.senderDomain(a, 'mail.yourdomain.com')).kind, 'sending')
  assert.equal((await domains.senderDomain(a, 'yourdomain.com')).kind, 'unknown')
  assert.equal((await domains.senderDomain(a, 'x.mail.yourdomain.com')).kind, 'unknown')
  for (let i = 1; i < DOMAINS_PER_ZONE; i++)
    await open.store.commit([{ statement: addDomain, params: [newId(), zoneId, a, `d${i}.yourdomain.com`] }])
  assert.deepEqual(await domains.onboardSending(request(a, zoneId)), { kind: 'too-many-domains', limit: 30 })
  assert.equal((await domains.onboardRouting(request(a, zoneId, 'mail.yourdomain.com'))).kind, 'onboarded')
})

onBothEngines('who may send as what: the two columns, the zone and the account decide', async (_t, open) => {
  const { a, b, domains, pass } = await world(open)
  const zoneId = await activeZone(domains, a)
  await domains.onboardSending(request(a, zoneId))
  await domains.onboardRouting(request(a, zoneId))
  const kinds = [
    ['active', 'active', 'sending', 'unverified'],
    ['active', 'none', 'sending', 'unverified'],
    ['pending', 'none', 'unverified', 'unknown'],
    ['pending', 'active', 'routing-only', 'unverified'],
    ['none', 'active', 'routing-only', 'unverified'],
    ['none', 'pending', 'unverified', 'unknown'],
    ['none', 'disabled', 'unknown', 'unknown'],
    ['none', 'none', 'unknown', 'unknown'],
    ['disabled', 'active', 'disabled', 'unverified'],
    ['disabled', 'none', 'disabled', 'unknown'],
  ] as const
  for (const [sending, routing, owner, stranger] of kinds) {
    await open.store.commit([{ statement: setStatus, params: ['yourdomain.com', sending, routing] }])
    pass(5001)
    const label = `sending ${sending}, routing ${routing}`
    assert.equal((await domains.senderDomain(a, 'yourdomain.com')).kind, owner, label)
    assert.equal((await domains.senderDomain(b, 'yourdomain.com')).kind, stranger, label)
  }
})

onBothEngines('who holds a name: the account in which it is active', async (_t, open) => {
  const { a, b, domains, pass } = await world(open)
  const zoneId = await activeZone(domains, a)
  await domains.onboardSending(request(a, zoneId))
  for (const [sending, routing, held] of [
    ['active', 'none', true],
    ['disabled', 'none', true],
    ['none', 'active', true],
    ['pending', 'active', true],
    ['pending', 'none', false],
    ['none', 'pending', false],
    ['none', 'disabled', false],
    ['none', 'none', false],
  ] as const) {
    await open.store.commit([{ statement: setStatus, params: ['yourdomain.com', sending, routing] }])
    pass(5001)
    const label = `sending ${sending}, routing ${routing}`
    assert.equal(await domains.holder('yourdomain.com'), held ? a : undefined, label)
  }
  await domains.onboardSending(request(a, zoneId, 'mail.yourdomain.com'))
  assert.equal(await domains.holder('mail.yourdomain.com'), a)
  for (const name of ['x.mail.yourdomain.com', 'com', '', 'x'.repeat(5000)])
    assert.equal(await domains.holder(name), undefined, name.slice(0, 50))
  const other = await activeZone(domains, b, 'example.com')
  await domains.onboardRouting(request(b, other, 'example.com'))
  assert.equal(await domains.holder('example.com'), b)
  await open.store.commit([{ statement: setZone, params: ['example.com', 'pending'] }])
  pass(5001)
  assert.equal(await domains.holder('example.com'), undefined)
})

onBothEngines('a name’s holder is known here at once, elsewhere within 5 s', async (_t, open) => {
  const { a, domains, elsewhere, pass } = await world(open)
  const zoneId = await activeZone(domains, a)
  for (const process of [domains, elsewhere]) assert.equal(await process.holder('yourdomain.com'), undefined)
  await domains.onboardSending(request(a, zoneId))
  assert.equal(await domains.holder('yourdomain.com'), a)
  assert.equal(await elsewhere.holder('yourdomain.com'), undefined)
  pass(5001)
  assert.equal(await elsewhere.holder('yourdomain.com'), a)
})

onBothEngines('a domain whose records were not seen yet is pending, and does not send', async (_t, open) => {
  const { a, domains } = await world(open)
  const zoneId = await activeZone(domains, a)
  const waiting = await domains.onboardSending({ ...request(a, zoneId), active: false })
  assert.ok(waiting.kind === 'onboarded' && waiting.status === 'pending')
  assert.deepEqual(await domains.senderDomain(a, 'yourdomain.com'), { kind: 'unverified' })
  const seen = await domains.onboardSending(request(a, zoneId))
  assert.deepEqual(seen, { ...waiting, status: 'active' })
  assert.equal((await domains.senderDomain(a, 'yourdomain.com')).kind, 'sending')
  const again = await domains.onboardSending({ ...request(a, zoneId), active: false })
  assert.deepEqual(again, seen)
})

onBothEngines('this process sees its own changes at once, another one within 5 s', async (_t, open) => {
  const { a, domains, elsewhere, pass } = await world(open)
  const zoneId = await activeZone(domains, a)
  for (const process of [domains, elsewhere]) {
    assert.equal((await process.senderDomain(a, 'yourdomain.com')).kind, 'unknown')
    assert.deepEqual(said(await process.authority.answers('_dmarc.yourdomain.com', 'TXT')), ['nxdomain'])
  }
  await domains.onboardSending(request(a, zoneId))
  assert.equal((await domains.senderDomain(a, 'yourdomain.com')).kind, 'sending')
  assert.equal(said(await domains.authority.answers('_dmarc.yourdomain.com', 'TXT')).length, 1)
  pass(5001)
  assert.equal((await elsewhere.senderDomain(a, 'yourdomain.com')).kind, 'sending')
  assert.deepEqual(said(await elsewhere.authority.answers('_dmarc.yourdomain.com', 'TXT')), [
    'v=DMARC1; p=reject;',
  ])
})

onBothEngines('private keys are sealed in the store, and parsed once', async (_t, open) => {
  const { a, domains, pass } = await world(open)
  const zoneId = await activeZone(domains, a)
  await domains.onboardSending(request(a, zoneId))
  await domains.ensureServiceKeys()
  for (const { private_key } of await open.store.all(sealedKeys, []))
    assert.match(private_key, /^v1\.[0-9a-f]{8}\./)
  const first = await domains.senderDomain(a, 'yourdomain.com')
  pass(5001)
  const second = await domains.senderDomain(a, 'yourdomain.com')
  assert.ok(first.kind === 'sending' && second.kind === 'sending')
  assert.notEqual(first, second)
  assert.equal(first.signing.key, second.signing.key)
})
