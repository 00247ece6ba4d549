import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import dnsPacket, { type Answer, type Packet } from 'dns-packet'
import { delegationLookup } from './delegation.ts'
import type { Lookup } from './resolver.ts'

/** The server of the zone `example`, which says `answer` to whatever it is asked, or does `act`. */
async function serverOfExample(
  t: TestContext,
  act: Partial<Packet> | ((socket: Socket, query: Buffer) => void),
) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (query: Buffer) => {
      if (typeof act === 'function') return act(socket, query)
      const { id, questions } = dnsPacket.decode(query.subarray(2))
      return socket.end(
        dnsPacket.streamEncode({
          type: 'response',
          ...(id !== undefined && { id }),
          questions: questions ?? [],
          ...act,
        }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const asked: string[] = []
  const found = <T>(...records: T[]): Lookup<T> => ({ kind: 'found', records })
  const lookup = delegationLookup({
    port: address.port,
    timeoutMs: 300,
    mayAsk: (one) => one === '127.0.0.1',
    resolver: {
      async ns(name) {
        asked.push(name)
        return name === 'example' ? found('private.example', 'ns.example') : { kind: 'no-data' }
      },
      addresses: async (name) =>
        found({ address: name === 'ns.example' ? '127.0.0.1' : '192.168.0.1', family: 4 as const }),
    },
  })
  return { lookup, asked }
}

const referral: Answer[] = [
  { type: 'NS', name: 'a.B.example', data: 'One.example.net' },
  { type: 'NS', name: 'a.b.example', data: 'two.example.net' },
]

test('the zone above is found and asked itself, at addresses that may be asked', async (t) => {
  const { lookup, asked } = await serverOfExample(t, { authorities: referral })
  assert.deepEqual(await lookup.delegation('a.b.example'), {
    kind: 'found',
    records: ['one.example.net', 'two.example.net'],
  })
  assert.deepEqual(asked, ['b.example', 'example'])
})

const flags = dnsPacket.AUTHORITATIVE_ANSWER
const OUTCOMES: Record<string, readonly [Partial<Packet>, Lookup<string>['kind']]> = {
  'a server of both zones answers': [{ flags, answers: referral }, 'found'],
  'the name does not exist': [{ flags: flags | 3 }, 'no-such-name'],
  'the name is not delegated': [{ flags }, 'no-data'],
  'another name is': [
    { authorities: [{ type: 'NS', name: 'example', data: 'x.example' }] },
    'temporary-failure',
  ],
  'the server refuses': [{ flags: 5 }, 'temporary-failure'],
  'it answers another question': [
    { questions: [{ type: 'NS', name: 'x.example' }], authorities: referral },
    'temporary-failure',
  ],
  'it answers with another id': [{ id: 70_000 % 65_536, authorities: referral }, 'temporary-failure'],
}
for (const [name, [answer, kind]] of Object.entries(OUTCOMES))
  test(`${name}: ${kind}`, async (t) => {
    const { lookup } = await serverOfExample(t, answer)
    assert.equal((await lookup.delegation('a.b.example')).kind, kind)
  })

const HOSTILE: Record<string, (socket: Socket, query: Buffer) => void> = {
  'it says nothing': () => {},
  'it hangs up': (socket) => socket.destroy(),
  'it sends garbage': (socket) => socket.end(Buffer.concat([Buffer.from([0, 40]), Buffer.alloc(40, 0xc0)])),
  'it announces 64 KiB': (socket) => socket.write(Buffer.from([0xff, 0xff, 0])),
  'it sends half an answer': (socket, query) => socket.end(query.subarray(0, 10)),
}
for (const [name, act] of Object.entries(HOSTILE))
  test(`${name}: nothing is known`, async (t) => {
    const { lookup } = await serverOfExample(t, act)
    assert.equal((await lookup.delegation('a.b.example')).kind, 'temporary-failure')
  })
