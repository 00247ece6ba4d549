import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { serviceNames } from '#model/service.ts'
import type { Fetched } from '#net/guarded-fetch.ts'
import type { HostAddress, Lookup, MxRecord } from '#net/resolver.ts'
import { reverseName } from '#protocol/reversed-address.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { openDomains } from './domains.ts'
import { judgeServiceSpf } from './judge-service-spf.ts'
import { checkService, type ServiceCheckWorld } from './service-check.ts'

const service = serviceNames('service.example')
const HELO = 'out.service.example'
const addresses = {
  hosts: ['1.1.1.1', '2606:4700::1111'],
  sources: ['1.1.1.1', '8.8.8.0/24'],
  relays: ['include:spf.relay.example'],
  pass: false,
  policies: true,
}

/** DNS as a table of `TYPE name`; the zone that this service would publish is in it, and each test takes away or adds. */
async function openWorld({ store }: OpenStore) {
  const clock = () => 1_800_000_000_000
  const domains = openDomains({ store, vault: openVault(randomBytes(32)), service, addresses, clock })
  await domains.ensureServiceKeys()
  const policy = (await domains.policyAt(service.mtaStsPolicy)) ?? ''
  const table = new Map<string, readonly string[] | 'broken'>([
    [`A ${HELO}`, ['1.1.1.1']],
    [`PTR ${reverseName('1.1.1.1')}`, [`${HELO}.`]],
  ])
  const served: { answer: Fetched } = {
    answer: { kind: 'answered', status: 200, contentType: 'text/plain', body: Buffer.from(policy) },
  }

  async function texts(type: 'MX' | 'TXT' | 'A' | 'AAAA' | 'PTR', name: string): Promise<Lookup<string>> {
    const set = table.get(`${type} ${name}`)
    if (set === 'broken') return { kind: 'temporary-failure', detail: 'ESERVFAIL' }
    if (set) return set.length > 0 ? { kind: 'found', records: set } : { kind: 'no-data' }
    const answer = await domains.authority.answers(name, type)
    if (answer.kind !== 'answer') return { kind: 'no-such-name' }
    const records = answer.records.map((record) => {
      if (record.type === 'MX') return `${record.preference} ${record.exchange}`
      if (record.type === 'TXT') return record.text
      return record.type === 'A' || record.type === 'AAAA' ? record.data : ''
    })
    return { kind: 'found', records }
  }
  const of = <T>(lookup: Lookup<string>, read: (text: string) => T): Lookup<T> =>
    lookup.kind === 'found' ? { kind: 'found', records: lookup.records.map(read) } : lookup
  const world: ServiceCheckWorld = {
    ...{ store, service, addresses, helo: HELO, clock },
    resolver: {
      mx: async (name) =>
        of<MxRecord>(await texts('MX', name), (text) => {
          const [preference, exchange = ''] = text.split(' ')
          return { preference: Number(preference), exchange }
        }),
      txt: (name) => texts('TXT', name),
      ptr: (name) => texts('PTR', name),
      async addresses(name) {
        const [four, six] = await Promise.all([texts('A', name), texts('AAAA', name)])
        const read =
          (family: 4 | 6) =>
          (address: string): HostAddress => ({ address, family })
        if (four.kind === 'temporary-failure') return four
        const records = [of(six, read(6)), of(four, read(4))].flatMap((found) =>
          found.kind === 'found' ? found.records : [],
        )
        return records.length > 0 ? { kind: 'found', records } : { kind: 'no-data' }
      },
    },
    fetch: async () => served.answer,
  }

  /** What is wrong, as `subject state: advice`. */
  async function wrong(): Promise<string[]> {
    const { ready, items } = await checkService(world)
    const told = items.filter(({ state }) => state !== 'ready')
    assert.equal(ready, told.length === 0)
    assert.ok(told.every(({ advice }) => advice?.endsWith('.') || advice?.includes('v=')))
    return told.map(({ subject, state, advice }) => `${subject} ${state}: ${advice}`)
  }
  return { table, served, wrong, world }
}

onBothEngines('a zone that says everything is in order', async (_t, open) => {
  const { wrong, world } = await openWorld(open)
  assert.deepEqual(await wrong(), [])
  const { items } = await checkService(world)
  assert.deepEqual(
    items.map(({ subject, name }) => `${subject} ${name}`),
    [
      'spf _spf.mx.service.example',
      ...[1, 2, 3].map((n) => `mx-host route${n}.mx.service.example`),
      'submission-host smtp.mx.service.example',
      'email-mx email.service.example',
      'email-spf email.service.example',
      'email-dkim cf2024-1._domainkey.email.service.example',
      'mta-sts _mta-sts.mx.service.example',
      'policy-host mta-sts.mx.service.example',
      'policy https://mta-sts.mx.service.example/.well-known/mta-sts.txt',
      'helo out.service.example',
      'ptr 1.1.1.1',
    ],
  )
})

onBothEngines('each thing that is missing or wrong has its sentence', async (_t, open) => {
  const { table, wrong } = await openWorld(open)
  const key = (name: string) => `TXT ${name}`
  const dkim = 'cf2024-1._domainkey.email.service.example'
  const cases: readonly (readonly [string, readonly string[] | 'broken', RegExp])[] = [
    [key(service.spf), [], /^spf missing: Publish _spf\.mx\.service\.example TXT "v=spf1 ip4:1\.1\.1\.1 /],
    [key(service.spf), 'broken', /^spf unanswered: DNS did not answer .*ESERVFAIL/],
    [
      key(service.spf),
      ['v=spf1 ip4:1.1.1.1 ~all'],
      /^spf wrong: Add ip4:8\.8\.8\.0\/24 include:spf\.relay\.example /,
    ],
    [key(service.spf), ['v=spf1 ~all', 'v=spf1 -all'], /^spf wrong: Leave one SPF record/],
    [`A ${service.submission}`, ['8.8.4.4'], /^submission-host wrong: Take 8\.8\.4\.4 away/],
    [`MX ${service.email}`, [], /^email-mx missing: Publish .* MX 13 route1/],
    [
      `MX ${service.email}`,
      ['5 other.example', ...service.routes.map((r) => `1 ${r}.`)],
      /^email-mx wrong: Remove .* 5 other/,
    ],
    [`MX ${service.email}`, [`1 ${service.routes[0]}`], /^email-mx wrong: Publish .* MX 24 route2/],
    [key(service.email), ['site-verification=1'], /^email-spf missing/],
    [key(service.email), ['v=spf1 -all'], /^email-spf wrong: Add include:_spf\.mx/],
    [key(dkim), [], /^email-dkim missing: Publish .* TXT "v=DKIM1/],
    [key(dkim), ['v=DKIM1; p=AAAA'], /^email-dkim wrong: .* in place of what is there/],
    [key(service.mtaSts), [], /^mta-sts missing/],
    [key(service.mtaSts), ['v=STSv1; id=1;'], /^mta-sts wrong/],
    [`A ${HELO}`, [], /^helo missing: .*POSTHORN_EHLO_NAME/],
    [`PTR ${reverseName('1.1.1.1')}`, [], /^ptr missing: Have whoever gave you 1\.1\.1\.1 /],
    [`PTR ${reverseName('1.1.1.1')}`, ['host.provider.example'], /^ptr wrong: .* it says host\.provider/],
    [`A ${HELO}`, ['8.8.8.8'], /^ptr wrong: Publish out\.service\.example A 1\.1\.1\.1/],
  ]
  for (const [name, records, told] of cases) {
    const before = table.get(name)
    table.set(name, records)
    const found = await wrong()
    assert.ok(
      found.some((line) => told.test(line)),
      `${name}: ${found.join('\n')}`,
    )
    if (before) table.set(name, before)
    else table.delete(name)
  }
  // An address family may be missing, as long as one is there.
  table.set(`AAAA ${service.routes[0]}`, [])
  assert.deepEqual(await wrong(), [])
  table.set(`A ${service.routes[0]}`, [])
  assert.match(
    (await wrong()).join(),
    /^mx-host missing: Publish route1\.mx\.service\.example A 1\.1\.1\.1, /,
  )
})

onBothEngines('the policy is fetched as senders fetch it', async (_t, open) => {
  const { served, wrong } = await openWorld(open)
  const good = served.answer
  assert.ok(good.kind === 'answered')
  const cases: readonly (readonly [Fetched, RegExp])[] = [
    [
      { kind: 'failed', reason: 'connect', detail: 'ECONNREFUSED' },
      /^policy missing: .*port 443 .*ECONNREFUSED/,
    ],
    [{ kind: 'failed', reason: 'tls', detail: 'expired' }, /^policy wrong: .*POSTHORN_POLICY_CERTS/],
    [{ kind: 'refused', detail: 'it is at 10.0.0.1, which is not public' }, /^policy wrong: .*10\.0\.0\.1/],
    [{ ...good, status: 301 }, /^policy wrong: .*answers 301/],
    [{ ...good, contentType: 'text/html' }, /^policy wrong: .*text\/html/],
    [{ ...good, body: Buffer.from('hello') }, /^policy wrong: .*no policy/],
    [
      { ...good, body: Buffer.from(good.body.toString().replace('enforce', 'testing')) },
      /^policy wrong: .*another policy/,
    ],
  ]
  for (const [answer, told] of cases) {
    served.answer = answer
    assert.match((await wrong()).join('\n'), told)
  }
  served.answer = { ...good, contentType: 'text/plain; charset=utf-8' }
  assert.deepEqual(await wrong(), [])
})

const about = { subject: 'spf', name: '_spf.example', expected: [] } as const
const spf = (wanted: string, there: string, lookups = 0) =>
  judgeServiceSpf(about, { wanted, texts: [there], lookups: { lookups, unanswered: [] } })

test('an SPF record may say the same in other words, and more', () => {
  const wanted = 'v=spf1 ip4:192.0.2.1 ip4:198.51.100.0/25 ip6:2001:db8::/48 include:a.example ~all'
  const same = 'V=SPF1 +IP6:2001:db8::/32 ip4:198.51.100.0/24 mx ip4:192.0.2.1/32 include:A.example -all'
  assert.equal(spf(wanted, same, 2).state, 'ready')
  for (const [there, told] of [
    ['v=spf1 ip4:192.0.2.0/33 -all', /Add ip4:192\.0\.2\.1 /],
    ['v=spf1 -ip4:192.0.2.0/24 -all', /Add ip4:192\.0\.2\.1 /],
    [wanted.replace('~all', 'all'), /Put ~all/],
  ] as const)
    assert.match(spf(wanted, there).advice ?? '', told)
  assert.match(spf('v=spf1 ~all', 'v=spf1 mx ~all', 10).advice ?? '', /ask DNS 11 times/)
})

test('no text of strangers breaks the judgement', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.ipV4(), fc.ipV6(), (text, four, six) => {
      const { state } = spf(`v=spf1 ip4:${four} ip6:${six} ~all`, `v=spf1 ${text}`)
      assert.ok(state === 'wrong' || state === 'ready')
      assert.equal(
        spf(`v=spf1 ip4:${four}/32 ip6:${six} ~all`, `v=spf1 ip4:${four}/8 ip6:${six} -all`).state,
        'ready',
      )
    }),
  )
})
