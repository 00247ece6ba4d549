import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type Cloudflare from 'cloudflare'
import { skipWithout } from '#test/client-program.ts'
import { contentOf, type Dug, dig } from '#test/dig.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { startUnbound, type Unbound } from '#test/unbound.ts'

/** The hosted zone as two programs see it that know DNS better than we do: dig, and unbound as the resolver of
 *  somebody who has never heard of us. */
const withDig = skipWithout('bind9-dnsutils', 'dig', '-v')
const withBoth = withDig || skipWithout('unbound', 'unbound', '-V')

const HEX = 'ab'.repeat(32)
const LONG = `long ${'x'.repeat(1500)}`
const OURS: readonly (readonly [type: string, name: string, content: string, priority?: number])[] = [
  ['A', 'www', '192.0.2.1'],
  ['A', 'www', '192.0.2.2'],
  ['AAAA', 'www', '2001:db8::1'],
  ['CNAME', 'alias', 'www.yourdomain.com'],
  ['MX', 'lists', 'mx.yourdomain.com', 5],
  ['MX', 'nomail', '.'],
  ['TXT', '@', 'site-verification=1'],
  ['TXT', 'quotes', String.raw`a "quoted" \ text; with: everything`],
  ['TXT', 'long', LONG],
  ['TXT', 'a.b.c', 'deep'],
  ['TXT', '*.wild', 'star'],
  ['SRV', '_submissions._tcp', '0 1 465 smtp.yourdomain.com'],
  ['CAA', '@', '0 issue "letsencrypt.org"'],
  ['PTR', 'ptr', 'host.example.net'],
  ['TLSA', '_25._tcp.mx', `3 1 1 ${HEX}`],
  ['SSHFP', 'www', `4 2 ${HEX}`],
]
const DELEGATED: typeof OURS = [
  ['NS', 'sub', 'ns.sub.yourdomain.com'],
  ['A', 'ns.sub', '192.0.2.53'],
]

let instance: Instance
let resolver: Unbound | undefined
let records: readonly Cloudflare.DNS.RecordResponse[]

before(async () => {
  instance = await startInstance()
  const client = sdkClient(instance.dev)
  const path = `/zones/${instance.dev.zone_id}/dns_records`
  for (const [type, name, content, priority] of [...OURS, ...DELEGATED])
    await client.post(path, { body: { type, name, content, priority, ttl: 600 } })
  records = (await client.dns.records.list({ zone_id: instance.dev.zone_id, per_page: 1000 })).result
  if (withBoth === false)
    resolver = await startUnbound({
      folder: instance.directory,
      server: instance.dev.dns.port,
      zones: ['yourdomain.com', 'posthorn.test'],
    })
})
after(async () => {
  await resolver?.[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

const ask = (name: string, type: string, ...more: string[]) => dig(instance.dev.dns.port, name, type, ...more)
const resolve = (name: string, type: string, ...more: string[]) =>
  dig(resolver?.port ?? 0, name, type, '+recurse', ...more)

/** What the API says that a name has of a type, and what this answer says of it. */
function assertSame(name: string, type: string, { answer, text }: Dug): void {
  const here = records.filter((record) => record.name === name && record.type === type)
  assert.deepEqual(
    answer.map(contentOf).toSorted(),
    here
      .map((record) => {
        const { content = '' } = record
        if (record.type !== 'MX') return content
        return `${record.priority} ${content}`.replace(/ \.$/, ' ')
      })
      .toSorted(),
    text,
  )
  for (const one of answer) assert.equal(one.name, name)
}

const asked = () => [
  ...new Map(
    records
      .filter(({ name, type }) => !name.includes('sub.') && !name.startsWith('*') && type !== 'NS')
      .map(({ name, type }) => [`${type} ${name}`, { name, type }]),
  ).values(),
]

test('dig reads every record of the zone, over UDP and over TCP', { skip: withDig }, async () => {
  const sets = asked()
  assert.ok(sets.length >= 20, 'onboarding’s own and ours')
  for (const { name, type } of sets) {
    for (const more of ['+tcp', '+notcp']) {
      const dug = await ask(name, type, more)
      assert.equal(dug.status, 'NOERROR')
      assert.ok(dug.flags.includes('aa') && !dug.flags.includes('ra'), dug.text)
      assertSame(name, type, dug)
    }
  }
})

test('unbound resolves every record of the zone', { skip: withBoth }, async () => {
  for (const { name, type } of asked()) {
    const dug = await resolve(name, type)
    assert.equal(dug.status, 'NOERROR', dug.text)
    assertSame(name, type, dug)
  }
})

test('SOA and NS of the zone, and the addresses of its name servers', { skip: withBoth }, async () => {
  const own = instance.dev.zone_id.slice(-16)
  const servers = [`${own}.ns1.posthorn.test`, `${own}.ns2.posthorn.test`]
  for (const look of [ask, resolve]) {
    const ns = await look('yourdomain.com', 'NS')
    assert.deepEqual(ns.answer.map(contentOf).toSorted(), servers)
    const [soa] = (await look('yourdomain.com', 'SOA')).answer
    assert.match(
      soa?.data ?? '',
      new RegExp(`^${own}\\.ns1\\.posthorn\\.test\\. hostmaster\\.posthorn\\.test\\. \\d+ 7200 `),
    )
    for (const server of servers) {
      assert.deepEqual((await look(server, 'A')).answer.map(contentOf), ['127.0.0.1'])
      assert.deepEqual((await look(server, 'AAAA')).answer.map(contentOf), ['::1'])
    }
  }
})

const ABSENT: readonly (readonly [name: string, type: string, status: string])[] = [
  ['nobody.yourdomain.com', 'A', 'NXDOMAIN'],
  ['x.www.yourdomain.com', 'MX', 'NXDOMAIN'],
  ['www.yourdomain.com', 'MX', 'NOERROR'],
  ['yourdomain.com', 'SRV', 'NOERROR'],
  ['b.c.yourdomain.com', 'TXT', 'NOERROR'],
  ['x.b.c.yourdomain.com', 'TXT', 'NXDOMAIN'],
  ['_domainkey.yourdomain.com', 'TXT', 'NOERROR'],
  ['wild.yourdomain.com', 'TXT', 'NOERROR'],
  ['x.wild.yourdomain.com', 'AAAA', 'NOERROR'],
]
test('what is not there: NXDOMAIN and NODATA, each with the SOA', { skip: withBoth }, async () => {
  for (const [name, type, status] of ABSENT) {
    for (const look of [ask, resolve]) {
      const dug = await look(name, type)
      assert.deepEqual([dug.status, dug.answer], [status, []], dug.text)
      assert.deepEqual(
        dug.authority.map((record) => [record.name, record.type, record.ttl <= 60]),
        [['yourdomain.com', 'SOA', true]],
        dug.text,
      )
    }
  }
})

test('an alias is followed in the zone, and a wildcard answers for what is not there', {
  skip: withBoth,
}, async () => {
  for (const look of [ask, resolve]) {
    const alias = await look('alias.yourdomain.com', 'A')
    assert.deepEqual(alias.answer.map(contentOf).toSorted(), ['192.0.2.1', '192.0.2.2', 'www.yourdomain.com'])
    for (const name of ['x.wild.yourdomain.com', 'a.b.wild.yourdomain.com']) {
      const star = await look(name, 'TXT')
      assert.deepEqual(
        star.answer.map((one) => [one.name, contentOf(one)]),
        [[name, 'star']],
        star.text,
      )
    }
  }
})

test('a name that is delegated is referred, with the addresses of its servers', {
  skip: withDig,
}, async () => {
  for (const name of ['sub.yourdomain.com', 'x.y.sub.yourdomain.com']) {
    const dug = await ask(name, 'MX')
    assert.deepEqual([dug.status, dug.flags.includes('aa'), dug.answer], ['NOERROR', false, []])
    assert.deepEqual(
      dug.authority.map((one) => [one.name, contentOf(one)]),
      [['sub.yourdomain.com', 'ns.sub.yourdomain.com']],
    )
    assert.deepEqual(
      dug.additional.map((one) => [one.name, contentOf(one)]),
      [['ns.sub.yourdomain.com', '192.0.2.53']],
    )
  }
})

test('over UDP no answer is larger than was asked for, and TCP has the rest', { skip: withDig }, async () => {
  for (const [options, most] of [
    [['+noedns', '+ignore'], 512],
    [['+bufsize=512', '+ignore'], 512],
    [['+bufsize=900', '+ignore'], 900],
    [['+bufsize=4096', '+ignore'], 1232],
  ] as const) {
    const dug = await ask('long.yourdomain.com', 'TXT', ...options)
    assert.ok(dug.flags.includes('tc') && dug.size <= most, dug.text)
  }
  assert.deepEqual((await ask('long.yourdomain.com', 'TXT')).answer.map(contentOf), [LONG])
})

test('names of others, transfers and version questions are refused', { skip: withDig }, async () => {
  for (const more of [
    ['example.org', 'A'],
    ['.', 'NS'],
    ['com', 'SOA'],
  ] as const)
    assert.equal((await ask(more[0], more[1])).status, 'REFUSED')
  const { text } = await ask('yourdomain.com', 'AXFR')
  assert.match(text, /Transfer failed|REFUSED/)
  assert.equal((await ask('version.bind', 'TXT', '-c', 'CH')).status, 'REFUSED')
})
