import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import dnsPacket, { type Answer, AUTHORITATIVE_ANSWER, type Question, TRUNCATED_RESPONSE } from 'dns-packet'
import { systemResolver } from '#net/resolver.ts'
import { startFaultPeer } from '#test/fault-peer.ts'
import { checkSteps, laneFailuresAmong, manyAt, openFaultRun } from '#test/fault-run.ts'
import { deliveriesIn, lanesIn, until } from '#test/outbound.ts'
import { openTestStore } from '#test/stores.ts'

/** DURABILITY's DNS faults, from a name server of the test's own through the production resolver. */

const RCODE = { noerror: 0, servfail: 2, nxdomain: 3 }
type Reply = { readonly rcode?: keyof typeof RCODE; readonly answers?: Answer[] } | 'silence'
type Zone = (question: Question) => Reply

test('SERVFAIL and silence put a lane off as one; when names are there again, all arrives', async (t) => {
  await using open = await openTestStore('sqlite')
  const host = await startFaultPeer(t)
  let fault: Reply | undefined = { rcode: 'servfail' }
  const resolver = await resolverOf(t, ({ name }) => fault ?? { answers: [mx(name, 10, 'mx.host.example')] })
  await using run = await openFaultRun(open, { resolver, endpoints: at({ 'mx.host.example': host.port }) })
  const domains = ['servfail.example', 'silent.example']
  for (const domain of domains) {
    await run.promise(manyAt(domain))
    await until('failures', async () =>
      (await lanesIn(open.store)).some((lane) => lane.recipient_domain === domain && lane.failures >= 3),
    )
    fault = 'silence'
  }
  fault = undefined
  await run.drained()
  const tally = await run.judge([host])
  assert.deepEqual([tally.delivered, tally.bounced, tally.duplicates], [1000, 0, 0])
  for (const domain of domains) {
    const failures = laneFailuresAmong(tally.attempts, domain)
    assert.ok(failures.length >= 3)
    for (const { detail } of failures) assert.equal(detail['cause'], 'dns')
    checkSteps(failures)
  }
  assert.equal(tally.attempts.filter(({ type }) => type === 'deferred').length, tally.attempts.length - 1000)
})

test('NXDOMAIN, null MX and a chain of CNAMEs that bites its tail: bounced at once, each with its code', async (t) => {
  await using open = await openTestStore('sqlite')
  const resolver = await resolverOf(t, ({ name }) => {
    if (name === 'null.example') return { answers: [mx(name, 0, '.')] }
    if (!name.endsWith('loop.example')) return { rcode: 'nxdomain' }
    const next = name === 'loop.example' ? 'a.loop.example' : 'loop.example'
    return { answers: [{ type: 'CNAME', name, ttl: 60, data: next }] }
  })
  await using run = await openFaultRun(open, { resolver, endpoints: () => undefined })
  await run.promise(['absent', 'null', 'loop'].flatMap((name) => manyAt(`${name}.example`)))
  await run.drained()
  const tally = await run.judge([])
  assert.deepEqual([tally.bounced, tally.attempts.length], [1500, 1500])
  for (const { detail } of tally.attempts)
    assert.equal(
      detail['enhancedStatus'],
      String(detail['recipient']).endsWith('@null.example') ? '5.1.10' : '5.1.2',
    )
})

test('a CNAME loop as resolvers tell of it, SERVFAIL, is no reason to give up', async (t) => {
  await using open = await openTestStore('sqlite')
  const resolver = await resolverOf(t, () => ({ rcode: 'servfail' }))
  await using run = await openFaultRun(open, { resolver, retryMs: [60_000] })
  await run.promise(manyAt('loop.example'))
  await until('all wait', async () =>
    (await deliveriesIn(open.store)).every(({ state }) => state === 'waiting'),
  )
  const tally = await run.judge([])
  assert.deepEqual([tally.bounced, tally.attempts.length], [0, 1])
})

test('a thousand MX records: the best are tried, in bounded time, and the mail arrives', async (t) => {
  await using open = await openTestStore('sqlite')
  const host = await startFaultPeer(t)
  const dead = await startFaultPeer(t, (moment) => (moment === 'greeting' ? '554 5.3.2 Not here' : undefined))
  const records = Array.from({ length: 1000 }, (_, n) => mx('many.example', n, `mx${n}.many.example`))
  const resolver = await resolverOf(t, ({ type }) =>
    type === 'MX' ? { answers: records.toReversed() } : { rcode: 'nxdomain' },
  )
  const ports = Object.fromEntries(
    records.map((_, n) => [`mx${n}.many.example`, n < 5 ? dead.port : host.port]),
  )
  await using run = await openFaultRun(open, { resolver, endpoints: at(ports) })
  await run.promise(manyAt('many.example'))
  await run.drained()
  const tally = await run.judge([host])
  assert.deepEqual([tally.delivered, tally.attempts.length], [500, 500])
  for (const { detail } of tally.attempts) assert.equal(detail['host'], 'mx5.many.example')
})

const INSIDE = [
  ['A', '127.0.0.1'],
  ['AAAA', '::1'],
  ['A', '0.0.0.0'],
  ['A', '10.0.0.1'],
  ['A', '192.168.1.1'],
  ['A', '169.254.169.254'],
  ['AAAA', '::ffff:127.0.0.1'],
  ['AAAA', 'fd00::1'],
  ['AAAA', '64:ff9b::7f00:1'],
] as const

test('an MX inside our own network is never dialled, by name or by number', async (t) => {
  await using open = await openTestStore('sqlite')
  const dialled: string[] = []
  const literals = ['127.0.0.1', '10.0.0.1', '0.0.0.0']
  const resolver = await resolverOf(t, ({ name, type }) => {
    const inside = INSIDE[Number(/^mx\.inside(\d+)\./.exec(name)?.[1] ?? Number.NaN)]
    const literal = literals[Number(/^literal(\d+)\./.exec(name)?.[1] ?? Number.NaN)]
    if (type === 'MX') return { answers: [mx(name, 10, literal ?? `mx.${name}`)] }
    const [family, data] = inside ?? []
    return data !== undefined && family === type ? { answers: [{ type: family, name, ttl: 60, data }] } : {}
  })
  await using run = await openFaultRun(open, {
    resolver,
    endpoints: () => undefined,
    mayDial(address) {
      dialled.push(address)
      return true
    },
    retryMs: [60_000],
  })
  const domains = [
    ...INSIDE.map((_, i) => `inside${i}.example`),
    ...literals.map((_, i) => `literal${i}.example`),
  ]
  await run.promise(domains.flatMap((domain) => manyAt(domain, 50)))
  await until('all wait', async () =>
    (await deliveriesIn(open.store)).every(({ state }) => state === 'waiting'),
  )
  const tally = await run.judge([])
  assert.deepEqual(dialled, [])
  assert.equal(tally.attempts.length, domains.length)
  for (const { detail } of tally.attempts)
    assert.deepEqual([detail['cause'], detail['address']], ['dns', undefined])
})

function mx(name: string, preference: number, exchange: string): Answer {
  return { type: 'MX', name, ttl: 60, data: { preference, exchange } }
}

function at(ports: Readonly<Record<string, number>>) {
  return (host: string) => {
    const port = ports[host]
    return port === undefined ? undefined : { port, addresses: ['127.0.0.1'] }
  }
}

/** A name server on loopback, on UDP and, for what does not fit in there, TCP; the resolver asks only it. */
async function resolverOf(t: TestContext, zone: Zone) {
  function answer(packet: Buffer, mostBytes: number): Buffer | undefined {
    const { id, questions = [] } = dnsPacket.decode(packet)
    const [question] = questions
    const reply = question ? zone(question) : 'silence'
    if (reply === 'silence') return undefined
    const flags = AUTHORITATIVE_ANSWER | RCODE[reply.rcode ?? 'noerror']
    const encode = (answers: Answer[], truncated: number) =>
      dnsPacket.encode({ type: 'response', id, flags: flags | truncated, questions, answers })
    const whole = encode(reply.answers ?? [], 0)
    return whole.length <= mostBytes ? whole : encode([], TRUNCATED_RESPONSE)
  }

  const tcp = createServer((socket) => {
    socket.on('error', () => undefined)
    let unread: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk])
      for (; unread.length >= 2 && unread.length >= 2 + unread.readUInt16BE(); ) {
        const end = 2 + unread.readUInt16BE()
        const reply = answer(unread.subarray(2, end), 65_535)
        unread = unread.subarray(end)
        if (!reply) continue
        const length = Buffer.alloc(2)
        length.writeUInt16BE(reply.length)
        socket.write(Buffer.concat([length, reply]))
      }
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const bound = tcp.address()
  if (bound === null || typeof bound === 'string') throw new Error('no port')
  const udp = createSocket('udp4')
  udp.on('message', (packet, { port, address }) => {
    const reply = answer(packet, 1232)
    if (reply) udp.send(reply, port, address)
  })
  await new Promise<void>((resolve) => udp.bind(bound.port, '127.0.0.1', resolve))
  t.after(() => {
    udp.close()
    tcp.close()
  })
  return systemResolver({ servers: [`127.0.0.1:${bound.port}`], timeoutMs: 150, tries: 1 })
}
