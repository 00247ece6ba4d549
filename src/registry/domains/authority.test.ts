import assert from 'node:assert/strict'
import test from 'node:test'
import { authorityOver } from './authority.ts'
import { inside, zoneContents } from './zone-contents.ts'
import type { RecordData, ZoneRecord } from './zone-record.ts'

function record(name: string, data: RecordData): ZoneRecord {
  return { name, ttl: 300, ...data }
}

const cname = (name: string, data: string) => record(name, { type: 'CNAME', data })
const txt = (name: string, text: string) => record(name, { type: 'TXT', text })

function zone(apex: string, ...records: ZoneRecord[]) {
  return zoneContents({
    apex,
    nameServers: ['ns1.posthorn.test'],
    responsible: 'hostmaster.posthorn.test',
    serial: 1,
    records,
  })
}

const zones = [
  zone(
    'example.com',
    txt('example.com', 'apex'),
    txt('a.b.c.example.com', 'deep'),
    cname('alias.example.com', 'Target.EXAMPLE.com'),
    txt('target.example.com', 'found'),
    cname('chain.example.com', 'link.example.org'),
    cname('loop.example.com', 'pool.example.com'),
    cname('pool.example.com', 'loop.example.com'),
    cname('leaves.example.com', 'www.elsewhere.example'),
    cname('dangling.example.com', 'nobody.example.org'),
  ),
  zone('example.org', cname('link.example.org', 'end.example.org'), txt('end.example.org', 'end')),
]
const authority = authorityOver(async (name) => zones.find(({ apex }) => inside(name, apex)))

async function texts(name: string, type = 'TXT') {
  const answer = await authority.answers(name, type)
  if (answer.kind === 'refused') return answer.kind
  const said = answer.records.map((found) =>
    found.type === 'TXT' ? found.text : `${found.type} ${found.name}`,
  )
  return [answer.kind, ...said]
}

test('names are found in any case, with and without the final dot', async () => {
  for (const name of ['example.com', 'EXAMPLE.com', 'Example.Com.'])
    assert.deepEqual(await texts(name), ['answer', 'apex'])
})

test('RFC 8020: a name with names below it exists, what lies beside it does not', async () => {
  assert.deepEqual(await texts('a.b.c.example.com'), ['answer', 'deep'])
  for (const name of ['b.c.example.com', 'c.example.com']) assert.deepEqual(await texts(name), ['nodata'])
  for (const name of ['x.b.c.example.com', 'x.a.b.c.example.com', 'bc.example.com'])
    assert.deepEqual(await texts(name), ['nxdomain'])
})

test('an absence names the zone it is absent from', async () => {
  const answer = await authority.answers('nobody.example.org', 'MX')
  assert.ok(answer.kind === 'nxdomain')
  assert.equal(answer.soa.name, 'example.org')
})

test('names outside are refused, whatever they end in', async () => {
  for (const name of ['elsewhere.example', 'notexample.com', 'com', ''])
    assert.equal(await texts(name), 'refused', name)
})

test('RFC 1034 §3.6.2: a CNAME answers for other types, its own is not followed', async () => {
  assert.deepEqual(await texts('alias.example.com'), ['answer', 'CNAME alias.example.com', 'found'])
  assert.deepEqual(await texts('alias.example.com', 'CNAME'), ['answer', 'CNAME alias.example.com'])
  assert.deepEqual(await texts('alias.example.com', 'MX'), ['nodata', 'CNAME alias.example.com'])
})

test('chains are followed from zone to zone, until they leave ours, end in nothing, or turn in circles', async () => {
  assert.deepEqual(await texts('chain.example.com'), [
    'answer',
    'CNAME chain.example.com',
    'CNAME link.example.org',
    'end',
  ])
  assert.deepEqual(await texts('leaves.example.com'), ['answer', 'CNAME leaves.example.com'])
  assert.deepEqual(await texts('dangling.example.com'), ['nxdomain', 'CNAME dangling.example.com'])
  const loop = await texts('loop.example.com')
  assert.ok(Array.isArray(loop) && loop[0] === 'answer' && loop.length <= 10)
})

test('the apex has SOA and NS', async () => {
  assert.deepEqual(await texts('example.com', 'SOA'), ['answer', 'SOA example.com'])
  assert.deepEqual(await texts('example.com', 'NS'), ['answer', 'NS example.com'])
  assert.deepEqual(await texts('target.example.com', 'NS'), ['nodata'])
})

const ns = (name: string, data: string) => record(name, { type: 'NS', data })
const address = (name: string, data: string) => record(name, { type: 'A', data })
const wild = authorityOver(async (name) =>
  inside(name, 'wild.example')
    ? zone(
        'wild.example',
        txt('*.wild.example', 'star'),
        record('*.wild.example', { type: 'MX', preference: 10, exchange: 'mx.wild.example' }),
        txt('there.wild.example', 'itself'),
        txt('_x.empty.wild.example', 'below'),
        cname('*.alias.wild.example', 'there.wild.example'),
        ns('sub.wild.example', 'ns1.sub.wild.example'),
        ns('sub.wild.example', 'ns.elsewhere.example'),
        address('ns1.sub.wild.example', '192.0.2.1'),
        txt('deep.sub.wild.example', 'hidden'),
        cname('away.wild.example', 'host.sub.wild.example'),
      )
    : undefined,
)

async function said(name: string, type = 'TXT') {
  const answer = await wild.answers(name, type)
  if (answer.kind === 'refused') return [answer.kind]
  return [
    answer.kind,
    ...answer.records.map((found) => (found.type === 'TXT' ? `${found.name} ${found.text}` : found.type)),
  ]
}

test('RFC 4592: a wildcard answers in the name that was asked, at any depth', async () => {
  for (const name of ['a.wild.example', 'a.b.c.wild.example', '_dmarc.wild.example'])
    assert.deepEqual(await said(name), ['answer', `${name} star`])
  assert.deepEqual(await said('a.wild.example', 'MX'), ['answer', 'MX'])
  assert.deepEqual(await said('a.wild.example', 'AAAA'), ['nodata'])
  assert.deepEqual(await said('*.wild.example'), ['answer', '*.wild.example star'])
})

test('RFC 4592 §2.2.2: what exists, with records or without, is no wildcard’s', async () => {
  assert.deepEqual(await said('there.wild.example'), ['answer', 'there.wild.example itself'])
  assert.deepEqual(await said('there.wild.example', 'MX'), ['nodata'])
  assert.deepEqual(await said('empty.wild.example'), ['nodata'])
  assert.deepEqual(await said('a.empty.wild.example'), ['nxdomain'])
  assert.deepEqual(await said('a.there.wild.example'), ['nxdomain'])
})

test('a wildcard may be an alias', async () => {
  assert.deepEqual(await said('a.alias.wild.example'), ['answer', 'CNAME', 'there.wild.example itself'])
})

test('RFC 1034 §4.3.2: a name that is delegated is referred to its servers, with their addresses', async () => {
  for (const name of ['sub.wild.example', 'deep.sub.wild.example', 'nobody.deep.sub.wild.example']) {
    const answer = await wild.answers(name, 'TXT')
    assert.ok(answer.kind === 'referral')
    assert.deepEqual(
      answer.nameServers.map((server) => server.type === 'NS' && server.data),
      ['ns1.sub.wild.example', 'ns.elsewhere.example'],
    )
    assert.deepEqual(
      answer.glue.map((glue) => [glue.name, glue.type]),
      [['ns1.sub.wild.example', 'A']],
    )
  }
  assert.deepEqual(await said('sub.wild.example', 'NS'), ['referral'])
  assert.deepEqual(await said('sub.wild.example', 'DS'), ['nodata'])
  assert.deepEqual(await said('away.wild.example'), ['referral', 'CNAME'])
})

test('RFC 2181 §5.2: records of one name and type have one TTL', async () => {
  const uneven = authorityOver(async () =>
    zone('ttl.example', { ...txt('ttl.example', 'a'), ttl: 600 }, { ...txt('ttl.example', 'b'), ttl: 60 }),
  )
  const answer = await uneven.answers('ttl.example', 'TXT')
  assert.ok(answer.kind === 'answer')
  assert.deepEqual(
    answer.records.map(({ ttl }) => ttl),
    [60, 60],
  )
})
