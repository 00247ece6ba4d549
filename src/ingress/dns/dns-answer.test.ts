import assert from 'node:assert/strict'
import test from 'node:test'
import dnsPacket, { type OptAnswer } from 'dns-packet'
import * as fc from 'fast-check'
import { authorityOver } from '#registry/domains/authority.ts'
import { inside, zoneContents } from '#registry/domains/zone-contents.ts'
import type { RecordData, ZoneRecord } from '#registry/domains/zone-record.ts'
import { answerMessage, serverFailure, truncatedAnswer } from './dns-answer.ts'

const hex = 'ab'.repeat(32)
const at = (name: string, data: RecordData): ZoneRecord => ({ name, ttl: 300, ...data })
const ns = (name: string, data: string) => at(name, { type: 'NS', data })
const many = [...Array(20).keys()]

/** Everything a zone can hold, some of it far too large for UDP. */
const zone = zoneContents({
  apex: 'z.example',
  nameServers: ['ns1.posthorn.test', 'ns2.posthorn.test'],
  responsible: 'hostmaster.posthorn.test',
  serial: 1,
  records: [
    ...many.map((i) => at('many.z.example', { type: 'TXT', text: `${i} ${'x'.repeat(2040)}` })),
    ...many.map((i) => at('many.z.example', { type: 'A', data: `192.0.2.${i}` })),
    at('srv.z.example', { type: 'SRV', priority: 1, weight: 2, port: 465, target: 'smtp.z.example' }),
    at('srv.z.example', { type: 'SRV', priority: 0, weight: 0, port: 0, target: '' }),
    at('caa.z.example', { type: 'CAA', flags: 128, tag: 'issue', value: 'ca.example; policy=x' }),
    at('tlsa.z.example', { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, certificate: hex }),
    at('sshfp.z.example', { type: 'SSHFP', algorithm: 4, hash: 2, fingerprint: hex }),
    at('ptr.z.example', { type: 'PTR', data: 'host.z.example' }),
    at('null.z.example', { type: 'MX', preference: 0, exchange: '' }),
    at('*.w.z.example', { type: 'TXT', text: 'y'.repeat(700) }),
    at('*.c.z.example', { type: 'CNAME', data: 'many.z.example' }),
    ...many.map((i) => ns('sub.z.example', `${i}.${'n'.repeat(60)}.sub.z.example`)),
    ...many.map((i) => at(`${i}.${'n'.repeat(60)}.sub.z.example`, { type: 'AAAA', data: `2001:db8::${i}` })),
  ],
})
const authority = authorityOver(async (name) => (inside(name, zone.apex) ? zone : undefined))

function query(name: string, type: string, payload?: number): Buffer {
  const opt: OptAnswer = {
    ...{ type: 'OPT', name: '.', udpPayloadSize: payload ?? 0, extendedRcode: 0, ednsVersion: 0 },
    ...{ flags: 0, flag_do: false, options: [] },
  }
  return dnsPacket.encode({
    ...{ type: 'query', id: 7 },
    // dns-packet takes every type it knows.
    questions: [{ type: type as 'A', name }],
    additionals: payload === undefined ? [] : [opt],
  })
}

async function over(transport: 'udp' | 'tcp', message: Buffer): Promise<Buffer> {
  const reply = await answerMessage(message, transport, authority)
  assert.ok(reply)
  return reply
}

const READ: readonly (readonly [name: string, type: string, data: readonly object[]])[] = [
  [
    'srv',
    'SRV',
    [
      { priority: 1, weight: 2, port: 465, target: 'smtp.z.example' },
      { priority: 0, weight: 0, port: 0, target: '.' },
    ],
  ],
  ['caa', 'CAA', [{ flags: 128, tag: 'issue', value: 'ca.example; policy=x', issuerCritical: true }]],
  ['tlsa', 'TLSA', [{ usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from(hex, 'hex') }]],
  ['sshfp', 'SSHFP', [{ algorithm: 4, hash: 2, fingerprint: hex.toUpperCase() }]],
  ['null', 'MX', [{ preference: 0, exchange: '.' }]],
]
for (const [name, type, data] of READ)
  test(`${type} on the wire`, async () => {
    const { answers = [] } = dnsPacket.decode(await over('tcp', query(`${name}.z.example`, type)))
    assert.deepEqual(
      answers.map((answer) => 'data' in answer && answer.data),
      data,
    )
  })

test('over TCP the largest set of all is whole', async () => {
  const reply = await over('tcp', query('many.z.example', 'TXT'))
  assert.ok(reply.length > 40_000)
  assert.equal(dnsPacket.decode(reply).answers?.length, 20)
})

test('a referral is no authority’s answer, and is truncated like any other', async () => {
  const whole = dnsPacket.decode(await over('tcp', query('x.sub.z.example', 'A')))
  assert.deepEqual([whole.flag_aa, whole.answers?.length, whole.authorities?.length], [false, 0, 20])
  assert.ok((whole.additionals?.length ?? 0) <= 8)
  assert.equal(dnsPacket.decode(await over('udp', query('x.sub.z.example', 'A'))).flag_tc, true)
})

/** The library writes texts only, and a stranger writes octets. */
function withLabel(octets: Uint8Array, below: string): Buffer {
  const message = query(`x.${below}`, 'TXT', 1232)
  const first = Buffer.from([octets.length, ...octets])
  return Buffer.concat([message.subarray(0, 12), first, message.subarray(14)])
}

test('a wildcard answers for a label of any octets, with the name as it was asked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 63 }),
      fc.constantFrom('w.z.example', 'c.z.example'),
      async (octets, below) => {
        const message = withLabel(octets, below)
        const reply = await over('tcp', message)
        const asked = message.subarray(12, 12 + 1 + octets.length + below.length + 2)
        const answer = reply.subarray(12 + asked.length + 4)
        const inAnyCase = (name: Buffer) =>
          name.toString('latin1').replaceAll(/[A-Z]/g, (c) => c.toLowerCase())
        assert.equal(inAnyCase(answer.subarray(0, asked.length)), inAnyCase(asked))
        const { answers = [] } = dnsPacket.decode(reply)
        assert.equal(answers[0]?.type, below.startsWith('w') ? 'TXT' : 'CNAME')
        assert.equal(answers.length, below.startsWith('w') ? 1 : 21)
      },
    ),
    { numRuns: 200 },
  )
})

const label = fc.constantFrom('many', 'srv', 'caa', 'tlsa', 'sub', 'w', 'c', '*', 'x', 'null', 'n'.repeat(60))
const name = fc
  .tuple(fc.array(label, { maxLength: 4 }), fc.constantFrom('z.example', 'example', 'other'))
  .map(([labels, apex]) => [...labels, apex].join('.'))
const type = fc.constantFrom(
  'A',
  'AAAA',
  'NS',
  'SOA',
  'MX',
  'TXT',
  'SRV',
  'CAA',
  'DS',
  'CNAME',
  'ANY',
  'AXFR',
  'TLSA',
)
// The library writes its own 4096 for a size of 0.
const payload = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined })

test('no answer over UDP is larger than its question allows, and every one can be read', async () => {
  await fc.assert(
    fc.asyncProperty(name, type, payload, async (asked, kind, size) => {
      const reply = await over('udp', query(asked, kind, size))
      const most = size === undefined ? 512 : Math.min(Math.max(size, 512), 1232)
      assert.ok(reply.length <= most, `${asked} ${kind} ${size}: ${reply.length}`)
      const { answers, questions } = dnsPacket.decode(reply)
      assert.equal(questions?.[0]?.name, asked)
      for (const answer of answers ?? []) assert.ok(inside(answer.name, zone.apex))
      assert.ok((await over('tcp', query(asked, kind, size))).length <= 65_535)
    }),
    { numRuns: 1500 },
  )
})

/** A question with some of its octets changed, cut off or added to: what a stranger who knows the format sends. */
const damaged = fc
  .tuple(
    fc.tuple(name, type, payload).map(([asked, kind, size]) => query(asked, kind, size)),
    fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
    fc.nat(400),
    fc.uint8Array({ maxLength: 40 }),
  )
  .map(([valid, changes, length, tail]) => {
    const message = Buffer.concat([valid.subarray(0, length), tail])
    for (const [offset, octet] of changes) if (offset < message.length) message[offset] = octet
    return message
  })
const noise = fc.uint8Array({ maxLength: 600 }).map((octets) => Buffer.from(octets))

test('whatever comes, nothing throws; what is malformed gets no more octets back than it had', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, noise), async (message) => {
      const reply = await answerMessage(message, 'udp', authority)
      if (!reply) return
      assert.ok(reply.length >= 12 && reply.length <= 1232)
      // Without an EDNS record nothing has more than 512 (RFC 1035 §4.2.1).
      if (message.length < 12 + 5 + 11) assert.ok(reply.length <= 512)
      assert.equal(reply.readUInt16BE(0), message.readUInt16BE(0))
      assert.ok((reply.readUInt8(2) & 0x80) !== 0 && (message.readUInt8(2) & 0x80) === 0)
      const rcode = reply.readUInt8(3) & 0xf
      if (rcode !== 0 && rcode !== 3) assert.ok(reply.length <= message.length, `${reply.length}`)
    }),
    { numRuns: 2000 },
  )
})

test('a truncated answer and a failure are no larger than their question', () => {
  fc.assert(
    fc.property(fc.oneof(damaged, noise), (message) => {
      for (const reply of [truncatedAnswer(message), serverFailure(message)])
        assert.ok(!reply || reply.length <= message.length)
    }),
    { numRuns: 1000 },
  )
})
