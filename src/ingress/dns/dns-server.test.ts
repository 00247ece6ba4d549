import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import test, { type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import dnsPacket, { type DecodedPacket, type OptAnswer, type Packet } from 'dns-packet'
import * as fc from 'fast-check'
import { PortUnavailable } from '#net/listen-loopback.ts'
import { systemResolver } from '#net/resolver.ts'
import { type Authority, authorityOver } from '#registry/domains/authority.ts'
import { inside, zoneContents } from '#registry/domains/zone-contents.ts'
import { type DnsDoorOptions, openDnsDoor } from './dns-server.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)
const skip = hasIpv6 ? false : 'this machine has no ::1'
const DKIM = `v=DKIM1; h=sha256; k=rsa; p=${'A'.repeat(392)}`
const LONG = 'x'.repeat(1300)

const zone = zoneContents({
  apex: 'example.com',
  nameServers: ['ns1.posthorn.test', 'ns2.posthorn.test'],
  responsible: 'hostmaster.posthorn.test',
  serial: 7,
  records: [
    { name: 'example.com', ttl: 300, type: 'MX', preference: 13, exchange: 'route1.mx.posthorn.test' },
    { name: 'example.com', ttl: 300, type: 'MX', preference: 24, exchange: 'route2.mx.posthorn.test' },
    { name: 'example.com', ttl: 300, type: 'TXT', text: 'v=spf1 -all' },
    { name: 'example.com', ttl: 300, type: 'A', data: '192.0.2.1' },
    { name: 'example.com', ttl: 300, type: 'AAAA', data: '2001:db8::1' },
    { name: 'cf2024-1._domainkey.example.com', ttl: 300, type: 'TXT', text: DKIM },
    { name: 'long.example.com', ttl: 300, type: 'TXT', text: LONG },
    { name: 'empty.example.com', ttl: 300, type: 'TXT', text: '' },
    { name: 'www.example.com', ttl: 300, type: 'CNAME', data: 'example.com' },
  ],
})
const authority = authorityOver(async (name) => (inside(name, zone.apex) ? zone : undefined))

async function openDoor(t: TestContext, options: Partial<DnsDoorOptions> = {}) {
  const errors: unknown[] = []
  const log = { error: ({ err }: { err: unknown }) => void errors.push(err) }
  const door = await openDnsDoor({ port: 0, authority, log, ...options })
  t.after(() => door.close())
  return { port: door.port, errors }
}

interface Asking {
  readonly port: number
  readonly host?: string
}

async function overUdp(message: Buffer, { port, host = '127.0.0.1' }: Asking): Promise<Buffer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  try {
    socket.send(message, port, host)
    const [reply] = await once(socket, 'message', { signal: AbortSignal.timeout(2000) })
    return reply
  } finally {
    socket.close()
  }
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  return socket
}

/** Everything the door sends until it closes. */
async function untilClosed(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  await once(socket, 'close', { signal: AbortSignal.timeout(5000) })
  return Buffer.concat(chunks)
}

function messagesOf(stream: Buffer): DecodedPacket[] {
  const messages: DecodedPacket[] = []
  for (let at = 0; at < stream.length; at += 2 + stream.readUInt16BE(at))
    messages.push(dnsPacket.decode(stream.subarray(at + 2, at + 2 + stream.readUInt16BE(at))))
  return messages
}

function query(name: string, type: string, packet: Partial<Packet> = {}): Buffer {
  return dnsPacket.encode({
    type: 'query',
    id: 4711,
    flags: dnsPacket.RECURSION_DESIRED,
    // dns-packet takes every type it knows, and `UNKNOWN_n` is not among its types.
    questions: [{ type: type as 'A', name }],
    ...packet,
  })
}

function opt(fields: Partial<OptAnswer> = {}): OptAnswer {
  const base = {
    udpPayloadSize: 4096,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }
  return { type: 'OPT', name: '.', ...base, ...fields }
}

async function ask(port: number, name: string, type: string, packet: Partial<Packet> = {}) {
  return dnsPacket.decode(await overUdp(query(name, type, packet), { port }))
}

const rcode = (packet: DecodedPacket) => (packet.flags ?? 0) & 0xf

test('answers are authoritative, offer no recursion, and repeat id, RD and the case of the question', async (t) => {
  const { port } = await openDoor(t)
  const reply = await ask(port, 'eXaMpLe.CoM', 'MX')
  assert.equal(reply.id, 4711)
  assert.ok(reply.flag_qr && reply.flag_aa && reply.flag_rd && !reply.flag_ra && !reply.flag_tc)
  assert.deepEqual(reply.questions, [{ name: 'eXaMpLe.CoM', type: 'MX', class: 'IN' }])
  assert.deepEqual(
    reply.answers?.map((answer) => answer.type === 'MX' && answer.data),
    [
      { preference: 13, exchange: 'route1.mx.posthorn.test' },
      { preference: 24, exchange: 'route2.mx.posthorn.test' },
    ],
  )
})

test('the same port answers on both loopback addresses, over UDP and TCP', { skip }, async (t) => {
  const { port } = await openDoor(t)
  for (const host of ['127.0.0.1', '::1']) {
    assert.equal(
      dnsPacket.decode(await overUdp(query('example.com', 'A'), { port, host })).answers?.length,
      1,
    )
    const socket = connect({ port, host })
    socket.end(
      dnsPacket.streamEncode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'example.com' }] }),
    )
    const [reply] = messagesOf(await untilClosed(socket))
    assert.equal(reply?.answers?.length, 1)
  }
})

test('an independent client reads every record', async (t) => {
  const { port } = await openDoor(t)
  const dns = new Resolver({ timeout: 1000, tries: 1 })
  dns.setServers([`127.0.0.1:${port}`])
  assert.deepEqual(await dns.resolve4('example.com'), ['192.0.2.1'])
  assert.deepEqual(await dns.resolve6('example.com'), ['2001:db8::1'])
  assert.deepEqual(await dns.resolve4('www.example.com'), ['192.0.2.1'])
  assert.deepEqual(await dns.resolveCname('www.example.com'), ['example.com'])
  assert.deepEqual((await dns.resolveNs('example.com')).sort(), ['ns1.posthorn.test', 'ns2.posthorn.test'])
  assert.deepEqual(await dns.resolveSoa('example.com'), {
    nsname: 'ns1.posthorn.test',
    hostmaster: 'hostmaster.posthorn.test',
    serial: 7,
    refresh: 7200,
    retry: 3600,
    expire: 1_209_600,
    minttl: 60,
    type: undefined,
  })
  const resolver = systemResolver({ servers: [`127.0.0.1:${port}`] })
  assert.deepEqual(await resolver.txt('cf2024-1._domainkey.example.com'), { kind: 'found', records: [DKIM] })
  assert.deepEqual(await resolver.mx('cf2024-1._domainkey.example.com'), { kind: 'no-data' })
  assert.deepEqual(await resolver.txt('_domainkey.example.com'), { kind: 'no-data' })
  assert.deepEqual(await resolver.txt('nobody.example.com'), { kind: 'no-such-name' })
  assert.equal((await resolver.txt('example.org')).kind, 'temporary-failure')
  assert.deepEqual(await resolver.txt('long.example.com'), { kind: 'found', records: [LONG] })
})

test('a TXT record is split into strings of 255 octets, and an empty one is one empty string', async (t) => {
  const { port } = await openDoor(t)
  const dkim = await ask(port, 'cf2024-1._domainkey.example.com', 'TXT', { additionals: [opt()] })
  const [answer] = dkim.answers ?? []
  assert.ok(answer?.type === 'TXT' && Array.isArray(answer.data))
  assert.deepEqual(
    answer.data.map((part) => part.length),
    [255, 165],
  )
  const [empty] = (await ask(port, 'empty.example.com', 'TXT')).answers ?? []
  assert.ok(empty?.type === 'TXT' && Array.isArray(empty.data))
  assert.deepEqual(empty.data.map(String), [''])
})

test('an absence carries the SOA: NODATA for names that exist, NXDOMAIN for the others', async (t) => {
  const { port } = await openDoor(t)
  const nodata = await ask(port, 'empty.example.com', 'MX')
  assert.deepEqual(
    [rcode(nodata), nodata.flag_aa, nodata.authorities?.map(({ type }) => type)],
    [0, true, ['SOA']],
  )
  const emptyNonTerminal = await ask(port, '_domainkey.example.com', 'TXT')
  assert.deepEqual([rcode(emptyNonTerminal), emptyNonTerminal.answers], [0, []])
  const nxdomain = await ask(port, 'nobody.example.com', 'MX')
  assert.deepEqual(
    [rcode(nxdomain), nxdomain.flag_aa, nxdomain.authorities?.map(({ type }) => type)],
    [3, true, ['SOA']],
  )
})

test('names that are not ours are REFUSED without authority, and so are transfers and other classes', async (t) => {
  const { port } = await openDoor(t)
  const foreign = await ask(port, 'example.org', 'MX')
  assert.deepEqual([rcode(foreign), foreign.flag_aa, foreign.answers], [5, false, []])
  assert.equal(rcode(await ask(port, '.', 'NS')), 5)
  assert.equal(rcode(await ask(port, 'example.com', 'AXFR')), 5)
  const questions = [{ type: 'TXT' as const, name: 'version.bind', class: 'CH' as const }]
  assert.equal(rcode(await ask(port, 'version.bind', 'TXT', { questions })), 5)
})

test('RFC 8482: ANY gets one record set, not all', async (t) => {
  const { port } = await openDoor(t)
  const any = await ask(port, 'example.com', 'ANY')
  assert.deepEqual(
    any.answers?.map(({ type }) => type),
    ['SOA'],
  )
  assert.equal(rcode(await ask(port, 'nobody.example.com', 'ANY')), 3)
})

test('opcodes other than QUERY are not implemented', async (t) => {
  const { port } = await openDoor(t)
  for (const opcode of [1, 2, 4, 5, 6]) {
    const reply = await ask(port, 'example.com', 'SOA', { flags: opcode << 11 })
    assert.equal(rcode(reply), 4)
    assert.equal(((reply.flags ?? 0) >> 11) & 0xf, opcode)
  }
})

test('EDNS: OPT is answered with OPT, 1232 octets and the DO bit; an unknown version with BADVERS', async (t) => {
  const { port } = await openDoor(t)
  const flags = dnsPacket.DNSSEC_OK
  const reply = await ask(port, 'example.com', 'A', { additionals: [opt({ flags, flag_do: true })] })
  const [answer] = reply.additionals ?? []
  assert.ok(answer?.type === 'OPT')
  assert.deepEqual([answer.udpPayloadSize, answer.flag_do, answer.ednsVersion], [1232, true, 0])
  const plain = await ask(port, 'example.com', 'A')
  assert.deepEqual(plain.additionals, [])
  const version1 = await ask(port, 'example.com', 'A', { additionals: [opt({ ednsVersion: 1 })] })
  const [badVersion] = version1.additionals ?? []
  assert.ok(badVersion?.type === 'OPT')
  assert.deepEqual([rcode(version1), badVersion.extendedRcode, version1.answers], [0, 1, []])
})

test('what does not fit is truncated: 512 octets without EDNS, at most 1232 with it, whole over TCP', async (t) => {
  const { port } = await openDoor(t)
  const name = 'cf2024-1._domainkey.example.com'
  const plain = await ask(port, name, 'TXT')
  assert.deepEqual([plain.flag_tc, plain.answers], [true, []])
  const edns = await ask(port, name, 'TXT', { additionals: [opt()] })
  assert.deepEqual([edns.flag_tc, edns.answers?.length], [false, 1])
  const long = await ask(port, 'long.example.com', 'TXT', { additionals: [opt({ udpPayloadSize: 65_535 })] })
  assert.deepEqual([long.flag_tc, long.answers, long.additionals?.length], [true, [], 1])
  const socket = await connected(port)
  socket.end(
    dnsPacket.streamEncode({ type: 'query', id: 2, questions: [{ type: 'TXT', name: 'long.example.com' }] }),
  )
  const [whole] = messagesOf(await untilClosed(socket))
  assert.deepEqual([whole?.flag_tc, whole?.answers?.length], [false, 1])
})

test('questions pipelined over one TCP connection, in any pieces, are answered in order', async (t) => {
  const { port } = await openDoor(t)
  const stream = Buffer.concat(
    [...Array(30).keys()].map((id) =>
      dnsPacket.streamEncode({ type: 'query', id, questions: [{ type: 'A', name: 'example.com' }] }),
    ),
  )
  const socket = await connected(port)
  socket.setNoDelay(true)
  for (let at = 0; at < stream.length; at += 7) socket.write(stream.subarray(at, at + 7))
  socket.end()
  const replies = messagesOf(await untilClosed(socket))
  assert.deepEqual(
    replies.map(({ id }) => id),
    [...Array(30).keys()],
  )
})

test('a TCP peer that sends nothing, or drips, is cut off; one that sends garbage is too', async (t) => {
  const { port } = await openDoor(t, { limits: { tcpIdleMs: 150 } })
  const silent = await connected(port)
  assert.equal((await untilClosed(silent)).length, 0)
  const dripping = await connected(port)
  const drip = setInterval(() => dripping.write('\0'), 40)
  dripping.write('\x0f\xff')
  assert.equal((await untilClosed(dripping)).length, 0)
  clearInterval(drip)
  const huge = await connected(port)
  huge.write('\xff\xff')
  assert.equal((await untilClosed(huge)).length, 0)
  const garbage = await connected(port)
  garbage.write('\0\x03abc')
  assert.equal((await untilClosed(garbage)).length, 0)
})

test('connections beyond the limit are closed, and the others still answered', async (t) => {
  const { port } = await openDoor(t, { limits: { tcpConnections: 2 } })
  const kept = [await connected(port), await connected(port)]
  const third = connect({ port, host: '127.0.0.1' })
  assert.equal((await untilClosed(third)).length, 0)
  const [first] = kept
  first?.end(
    dnsPacket.streamEncode({ type: 'query', id: 3, questions: [{ type: 'A', name: 'example.com' }] }),
  )
  assert.ok(first)
  assert.equal(messagesOf(await untilClosed(first)).length, 1)
})

test('one network does not hold all the places for TCP', async (t) => {
  const limits = { tcpConnections: 10, tcpConnectionsPerNetwork: 2 }
  const { port } = await openDoor(t, { limits, isTrusted: () => false, hosts: ['0.0.0.0'] })
  const kept = [await connected(port), await connected(port)]
  assert.equal((await untilClosed(connect({ port, host: '127.0.0.1' }))).length, 0)
  // Of the other connections one comes from elsewhere, and one follows what its network gave back.
  const other = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
  kept[0]?.destroy()
  const question = dnsPacket.streamEncode({
    ...{ type: 'query', id: 3, questions: [{ type: 'A', name: 'example.com' }] },
  })
  other.end(question)
  assert.equal(messagesOf(await untilClosed(other)).length, 1)
  const next = await connected(port)
  next.end(question)
  assert.equal(messagesOf(await untilClosed(next)).length, 1)
})

test('a fault of the authority is SERVFAIL to the asker and an error in the log', async (t) => {
  const broken: Authority = { answers: () => Promise.reject(new Error('the store is gone')) }
  const { port, errors } = await openDoor(t, { authority: broken })
  const reply = await ask(port, 'example.com', 'MX')
  assert.deepEqual([rcode(reply), reply.flag_aa, reply.questions?.length], [2, false, 1])
  assert.equal(errors.length, 1)
})

test('from one network too many questions over UDP go unanswered, or truncated; over TCP all are answered', async (t) => {
  const rate = { sameAnswer: 2, slip: 2 }
  const { port } = await openDoor(t, { rate, isTrusted: () => false, now: () => 0 })
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const replies: DecodedPacket[] = []
  socket.on('message', (reply) => replies.push(dnsPacket.decode(reply)))
  const question = query('example.com', 'MX', { additionals: [opt()] })
  for (let i = 0; i < 30; i++) {
    socket.send(question, port, '127.0.0.1')
    await setImmediate()
  }
  // Answered in order: once this one is there, so are those before it.
  socket.send(query('x', 'A'), port, '127.0.0.1')
  while (!replies.some((reply) => rcode(reply) === 5)) await once(socket, 'message')
  const answered = replies.filter((reply) => rcode(reply) === 0)
  assert.equal(answered.filter(({ answers }) => answers?.length === 2).length, 10)
  const truncated = answered.filter(({ flag_tc }) => flag_tc)
  assert.equal(truncated.length, 10)
  for (const { answers, authorities, additionals, id } of truncated)
    assert.deepEqual([answers, authorities, additionals?.length, id], [[], [], 1, 4711])
  const tcp = await connected(port)
  const streamed = dnsPacket.streamEncode({
    type: 'query',
    id: 1,
    questions: [{ type: 'MX', name: 'example.com' }],
  })
  for (let i = 0; i < 30; i++) tcp.write(streamed)
  tcp.end()
  const whole = messagesOf(await untilClosed(tcp))
  assert.equal(whole.filter(({ answers }) => answers?.length === 2).length, 30)
})

test('whoever counts is told what became of each message', async (t) => {
  const told: string[] = []
  const onAnswer: DnsDoorOptions['onAnswer'] = (transport, answer) => void told.push(`${transport} ${answer}`)
  const rate = { sameAnswer: 1, slip: 2 }
  const { port } = await openDoor(t, { rate, isTrusted: () => false, now: () => 0, onAnswer })
  const tcp = await connected(port)
  for (const message of [query('example.com', 'MX'), query('no.example.com', 'A'), Buffer.from('garbage')])
    tcp.write(Buffer.concat([Buffer.from([0, message.length]), message]))
  await untilClosed(tcp)
  assert.deepEqual(told.splice(0), ['tcp noerror', 'tcp nxdomain', 'tcp ignored'])
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  for (let i = 0; i < 9; i++) {
    socket.send(query('example.com', 'MX'), port, '127.0.0.1')
    await setImmediate()
  }
  socket.send(query('x', 'A'), port, '127.0.0.1')
  while (told.length < 10) await once(socket, 'message', { signal: AbortSignal.timeout(2000) })
  const count = (word: string) => told.filter((one) => one === `udp ${word}`).length
  assert.deepEqual(
    ['noerror', 'withheld', 'truncated', 'refused'].map((word) => count(word)),
    [5, 2, 2, 1],
  )
})

test('a port that UDP or TCP cannot have is named, and neither stays open', async () => {
  const udp = createSocket('udp4')
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const { port } = udp.address()
  await assert.rejects(openDnsDoor({ port, authority, log: { error: () => assert.fail() } }), (error) => {
    assert.ok(error instanceof PortUnavailable)
    assert.match(error.message, new RegExp(`Port ${port} of DNS is in use: set POSTHORN_DNS_PORT`))
    return true
  })
  await assert.rejects(connected(port), { code: 'ECONNREFUSED' })
  udp.close()
})

test('malformed messages are answered FORMERR or dropped, and the door stays open', async (t) => {
  const { port, errors } = await openDoor(t)
  const formErr = dnsPacket.decode(await overUdp(query('example.com', 'MX', { questions: [] }), { port }))
  assert.deepEqual([rcode(formErr), formErr.id], [1, 4711])
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const valid = query('example.com', 'MX', { additionals: [opt()] })
  const damaged = fc
    .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 3 }), fc.nat(valid.length))
    .map(([changes, length]) => {
      const message = Buffer.from(valid)
      for (const [offset, octet] of changes) message[offset] = octet
      return message.subarray(0, length)
    })
  const random = fc.uint8Array({ maxLength: 600 }).map((octets) => Buffer.from(octets))
  const received: Buffer[] = []
  socket.on('message', (reply) => received.push(reply))
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, random), async (message) => {
      socket.send(message, port, '127.0.0.1')
      // The door's turn: it runs in this process, and the system drops what waits too long.
      await setImmediate()
    }),
    { numRuns: 1000 },
  )
  assert.equal((await ask(port, 'example.com', 'MX')).answers?.length, 2)
  assert.ok(received.length > 0)
  for (const reply of received) assert.ok(reply.length >= 12 && reply.length <= 1232)
  assert.deepEqual(errors, [])
})
