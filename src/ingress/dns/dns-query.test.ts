import assert from 'node:assert/strict'
import test from 'node:test'
import dnsPacket, { type OptAnswer, type Packet } from 'dns-packet'
import * as fc from 'fast-check'
import { parseQuery } from './dns-query.ts'

function query(packet: Partial<Packet> = {}): Buffer {
  return dnsPacket.encode({
    type: 'query',
    id: 0x1234,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: 'MX', name: 'Example.COM' }],
    ...packet,
  })
}

/** A query with one question whose name is these labels. */
function queryFor(...labels: (string | Buffer)[]): Buffer {
  const name = labels.map((label) => {
    const octets = Buffer.from(label as string)
    return Buffer.concat([Buffer.from([octets.length]), octets])
  })
  const header = Buffer.from([0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([header, ...name, Buffer.from([0, 0, 15, 0, 1])])
}

const OPT: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1400,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: dnsPacket.DNSSEC_OK,
  flag_do: true,
  options: [{ code: 12, length: 8 }],
}

test('a query is its question, its id and what the answer must repeat', () => {
  const parsed = parseQuery(query({ additionals: [OPT] }))
  assert.ok(parsed.kind === 'query')
  const { question, ...rest } = parsed.query
  assert.deepEqual(rest, {
    id: 0x1234,
    opcode: 0,
    recursionDesired: true,
    name: 'example.com',
    type: 15,
    class: 1,
    edns: { payloadSize: 1400, version: 0, dnssecOk: true },
  })
  assert.equal(question.toString('latin1'), '\x07Example\x03COM\x00\x00\x0f\x00\x01')
})

test('a dot inside a label is not a boundary of labels, and no octet poses as a letter', () => {
  const parsed = parseQuery(queryFor('a.b', 'c\\d', Buffer.from([0xff, 0x20, 0x00]), 'com'))
  assert.ok(parsed.kind === 'query')
  assert.equal(parsed.query.name, String.raw`a\046b.c\092d.\255\032\000.com`)
})

test('the root is the empty name', () => {
  const parsed = parseQuery(queryFor())
  assert.ok(parsed.kind === 'query')
  assert.equal(parsed.query.name, '')
})

const sizes = {
  'a label of 63 octets': { labels: ['x'.repeat(63), 'com'], kind: 'query' },
  'a name of 255 octets': {
    labels: ['x'.repeat(63), 'x'.repeat(63), 'x'.repeat(63), 'x'.repeat(61)],
    kind: 'query',
  },
  'a name of 256 octets': {
    labels: ['x'.repeat(63), 'x'.repeat(63), 'x'.repeat(63), 'x'.repeat(62)],
    kind: 'malformed',
  },
  'a label of 64 octets': { labels: ['x'.repeat(64), 'com'], kind: 'malformed' },
} as const
for (const [name, { labels, kind }] of Object.entries(sizes))
  test(`RFC 1035 §2.3.4: ${name} is ${kind === 'query' ? 'legal' : 'malformed'}`, () => {
    assert.equal(parseQuery(queryFor(...labels)).kind, kind)
  })

test('what is no query is ignored: an answer, or less than a header', () => {
  assert.equal(parseQuery(Buffer.alloc(0)).kind, 'ignored')
  assert.equal(parseQuery(Buffer.alloc(11)).kind, 'ignored')
  assert.equal(parseQuery(query({ type: 'response' })).kind, 'ignored')
})

const MALFORMED: Record<string, Buffer> = {
  'no question': query({ questions: [] }),
  'two questions (RFC 9619)': query({
    questions: [
      { type: 'MX', name: 'a.example' },
      { type: 'MX', name: 'b.example' },
    ],
  }),
  'a question cut off': query().subarray(0, -1),
  'a name that ends nowhere': Buffer.concat([query().subarray(0, 12), Buffer.from('\x03com')]),
  'a compressed question': Buffer.concat([query().subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 15, 0, 1])]),
  'a record that is not there': Buffer.concat([
    query().subarray(0, 11),
    Buffer.from([1]),
    query().subarray(12),
  ]),
  'two OPT records (RFC 6891 §6.1.1)': query({ additionals: [OPT, OPT] }),
}
for (const [name, message] of Object.entries(MALFORMED))
  test(`malformed: ${name}`, () => {
    assert.deepEqual(parseQuery(message), {
      kind: 'malformed',
      id: 0x1234,
      opcode: 0,
      recursionDesired: true,
    })
  })

test('no octets whatever make the parser throw or read beyond the message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => void parseQuery(Buffer.from(octets))),
    {
      numRuns: 2000,
    },
  )
})

test('a damaged query is never taken for a longer one', () => {
  const message = query({ additionals: [OPT] })
  const damage = fc.array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { maxLength: 4 })
  fc.assert(
    fc.property(damage, fc.nat(message.length), (changes, length) => {
      const damaged = Buffer.from(message)
      for (const [offset, octet] of changes) damaged[offset] = octet
      const parsed = parseQuery(damaged.subarray(0, length))
      if (parsed.kind === 'query') assert.ok(12 + parsed.query.question.length <= length)
    }),
    { numRuns: 2000 },
  )
})
