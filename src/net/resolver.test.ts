import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import test, { type TestContext } from 'node:test'
import dnsPacket, { type Answer, AUTHORITATIVE_ANSWER, type Question } from 'dns-packet'
import { eitherFamily, systemResolver } from './resolver.ts'

const RCODE = { noerror: 0, servfail: 2, nxdomain: 3, refused: 5 }
type Script = (question: Question) => { rcode: keyof typeof RCODE; answers?: Answer[] } | 'silence'

/** A name server on loopback that answers by the script; the resolver under test asks only it. */
async function resolverOf(t: TestContext, script: Script) {
  const socket = createSocket('udp4')
  socket.on('message', (query, peer) => {
    const { id, questions = [] } = dnsPacket.decode(query)
    const [question] = questions
    if (!question) return
    const reply = script(question)
    if (reply === 'silence') return
    const flags = AUTHORITATIVE_ANSWER | RCODE[reply.rcode]
    const packet = { type: 'response' as const, id, flags, questions, answers: reply.answers ?? [] }
    socket.send(dnsPacket.encode(packet), peer.port, peer.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => socket.close())
  return systemResolver({ servers: [`127.0.0.1:${socket.address().port}`], timeoutMs: 100, tries: 1 })
}

test('MX records come with their preferences, the null MX of RFC 7505 as an empty exchange', async (t) => {
  const resolver = await resolverOf(t, ({ name }) => ({
    rcode: 'noerror',
    answers:
      name === 'null.example'
        ? [{ type: 'MX', name, data: { preference: 0, exchange: '.' } }]
        : [
            { type: 'MX', name, data: { preference: 20, exchange: 'b.example' } },
            { type: 'MX', name, data: { preference: 10, exchange: 'a.example' } },
          ],
  }))
  assert.deepEqual(await resolver.mx('example.com'), {
    kind: 'found',
    records: [
      { preference: 20, exchange: 'b.example' },
      { preference: 10, exchange: 'a.example' },
    ],
  })
  assert.deepEqual(await resolver.mx('null.example'), {
    kind: 'found',
    records: [{ preference: 0, exchange: '' }],
  })
})

test('the parts of a TXT record are joined without a gap, its records kept apart', async (t) => {
  const resolver = await resolverOf(t, ({ name }) => ({
    rcode: 'noerror',
    answers: [
      { type: 'TXT', name, data: ['v=DKIM1; p=', 'AAAA'] },
      { type: 'TXT', name, data: 'v=spf1 -all' },
    ],
  }))
  assert.deepEqual(await resolver.txt('example.com'), {
    kind: 'found',
    records: ['v=DKIM1; p=AAAA', 'v=spf1 -all'],
  })
})

test('NXDOMAIN, NODATA, SERVFAIL, REFUSED and silence are told apart', async (t) => {
  const resolver = await resolverOf(t, ({ name }) => {
    if (name.startsWith('nxdomain')) return { rcode: 'nxdomain' }
    if (name.startsWith('nodata')) return { rcode: 'noerror' }
    if (name.startsWith('servfail')) return { rcode: 'servfail' }
    if (name.startsWith('refused')) return { rcode: 'refused' }
    return 'silence'
  })
  for (const type of ['mx', 'txt', 'addresses'] as const) {
    assert.deepEqual(await resolver[type]('nxdomain.example'), { kind: 'no-such-name' })
    assert.deepEqual(await resolver[type]('nodata.example'), { kind: 'no-data' })
    for (const name of ['servfail.example', 'refused.example', 'silence.example'])
      assert.equal((await resolver[type](name)).kind, 'temporary-failure', name)
  }
})

test('a name that cannot exist is no such name, and nobody is asked', async (t) => {
  const resolver = await resolverOf(t, ({ name }) => assert.fail(`asked for ${name}`))
  for (const name of ['a..example', `${'x'.repeat(64)}.example`, 'a b.example', 'a\0.example', 'x.onion'])
    assert.deepEqual(await resolver.mx(name), { kind: 'no-such-name' }, name)
})

test('addresses of both families come together, IPv6 first, and one family is enough', async (t) => {
  const resolver = await resolverOf(t, ({ name, type }) => {
    if (type === 'AAAA' && name === 'half.example') return { rcode: 'servfail' }
    if (type === 'AAAA') return { rcode: 'noerror', answers: [{ type, name, data: '2001:db8::1' }] }
    return { rcode: 'noerror', answers: [{ type: 'A', name, data: '192.0.2.1' }] }
  })
  assert.deepEqual(await resolver.addresses('both.example'), {
    kind: 'found',
    records: [
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.1', family: 4 },
    ],
  })
  assert.deepEqual(await resolver.addresses('half.example'), {
    kind: 'found',
    records: [{ address: '192.0.2.1', family: 4 }],
  })
})

test('without any address, a failure of either question leaves the verdict open', () => {
  const failed = { kind: 'temporary-failure', detail: 'ESERVFAIL' } as const
  assert.deepEqual(eitherFamily({ kind: 'no-data' }, failed), failed)
  assert.deepEqual(eitherFamily(failed, { kind: 'no-such-name' }), failed)
  assert.deepEqual(eitherFamily({ kind: 'no-such-name' }, { kind: 'no-data' }), { kind: 'no-such-name' })
  assert.deepEqual(eitherFamily({ kind: 'no-data' }, { kind: 'no-data' }), { kind: 'no-data' })
})

test('nobody listening at the name server is a temporary failure', async () => {
  const resolver = systemResolver({ servers: ['127.0.0.1:1'], timeoutMs: 100, tries: 1 })
  assert.equal((await resolver.mx('example.com')).kind, 'temporary-failure')
})

test('addresses that are to be kept come with their time, names of addresses without', async (t) => {
  const resolver = await resolverOf(t, ({ name, type }) => ({
    rcode: 'noerror',
    answers:
      type === 'PTR'
        ? [{ type, name, data: 'mail.example' }]
        : [{ type: 'A', name, ttl: 300, data: '127.0.0.2' }],
  }))
  assert.deepEqual(await resolver.a('2.0.0.127.list.example'), {
    kind: 'found',
    records: [{ address: '127.0.0.2', ttlSeconds: 300 }],
  })
  assert.deepEqual(await resolver.ptr('1.2.0.192.in-addr.arpa'), { kind: 'found', records: ['mail.example'] })
})
