import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { openTestAuthority, type TestAuthority } from '#test/test-authority.ts'
import { checkDnsId } from './check-dns-id.ts'
import { type Fetched, type FetchRequest, openGuardedFetch } from './guarded-fetch.ts'
import type { HostAddress, Lookup } from './resolver.ts'

const HOST = 'mta-sts.to.example'

let authority: Promise<TestAuthority> | undefined
const theAuthority = () => (authority ??= openTestAuthority())

const at = (...addresses: string[]): Lookup<HostAddress> => ({
  kind: 'found',
  records: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
})

/** Opens the server on a free port, or on that of another one, for the length of the test. */
async function listen(t: TestContext, server: Server, host = '127.0.0.1', port = 0) {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(port, host)
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

async function serve(
  t: TestContext,
  listener: RequestListener,
  { names = [HOST], issuedAt = Date.now(), host = '127.0.0.1', port = 0 } = {},
) {
  const pair = await (await theAuthority()).issue(names, issuedAt)
  return listen(t, createHttpsServer(pair, listener), host, port)
}

interface World {
  readonly addresses?: Lookup<HostAddress>
  readonly request?: Partial<FetchRequest>
}

/** Asks the server on `port`, which DNS says is at HOST, as one of ours. */
async function get(port: number, { addresses = at('127.0.0.1'), request }: World = {}): Promise<Fetched> {
  const fetch = openGuardedFetch({
    resolver: { addresses: async (name) => (name === HOST ? addresses : { kind: 'no-such-name' }) },
    allow: (host) => host === HOST,
    ca: (await theAuthority()).certificate,
  })
  return fetch(`https://${HOST}:${port}/.well-known/mta-sts.txt?a=b`, {
    timeoutMs: 5000,
    maxOctets: 1000,
    ...request,
  })
}

const shown = (fetched: Fetched) =>
  fetched.kind === 'failed' ? `${fetched.reason}: ${fetched.detail}` : fetched.kind

test('an answer comes with its status, its type and its body; the name is asked for and greeted by', async (t) => {
  let seen: Partial<IncomingMessage> | undefined
  const { port } = await serve(t, (request, response) => {
    const { url, method, headers } = request
    seen = { url, method, headers }
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('nothing here')
  })
  const fetched = await get(port, { request: { headers: { 'user-agent': 'Posthorn' } } })
  assert.deepEqual(fetched, {
    kind: 'answered',
    status: 404,
    contentType: 'text/plain; charset=utf-8',
    body: Buffer.from('nothing here'),
  })
  assert.deepEqual([seen?.method, seen?.url], ['GET', '/.well-known/mta-sts.txt?a=b'])
  assert.deepEqual(seen?.headers, { host: `${HOST}:${port}`, 'user-agent': 'Posthorn', connection: 'close' })
})

test('a redirect is an answer and is not followed', async (t) => {
  let followed = 0
  const elsewhere = await serve(t, (_, response) => {
    followed += 1
    response.end('inside')
  })
  for (const status of [301, 302, 303, 307, 308]) {
    const { port } = await serve(t, (_, response) =>
      response.writeHead(status, { location: `https://${HOST}:${elsewhere.port}/` }).end('moved'),
    )
    const fetched = await get(port)
    assert.equal(fetched.kind === 'answered' && fetched.status, status)
  }
  assert.equal(followed, 0)
})

test('a body may have as many octets as allowed, and not one more', async (t) => {
  const { port } = await serve(t, (request, response) => {
    const size = Number(request.headers['x-size'])
    if (request.headers['x-chunked']) for (let i = 0; i < size; i++) response.write('x')
    response.end(request.headers['x-chunked'] ? '' : 'x'.repeat(size))
  })
  for (const chunked of [{}, { 'x-chunked': 'yes' }]) {
    const whole = await get(port, { request: { headers: { 'x-size': '1000', ...chunked } } })
    assert.equal(whole.kind === 'answered' && whole.body.length, 1000)
    const tooLarge = await get(port, { request: { headers: { 'x-size': '1001', ...chunked } } })
    assert.equal(shown(tooLarge), 'too-large: more than 1000 octets')
  }
})

test('an endless body ends with the first octet too many', async (t) => {
  const { port } = await serve(t, (_, response) => {
    const pour = () => {
      while (response.writable && response.write('x'.repeat(1000)));
    }
    response.on('drain', pour)
    pour()
  })
  assert.equal(shown(await get(port)), 'too-large: more than 1000 octets')
})

test('the time counts from the lookup to the last octet', async (t) => {
  const request = { timeoutMs: 300 }
  const timeout = 'timeout: not over within 300 ms'
  const dripping = await serve(t, (_, response) => {
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
  })
  assert.equal(shown(await get(dripping.port, { request })), timeout)
  const mute = await serve(t, () => {})
  assert.equal(shown(await get(mute.port, { request })), timeout)
  const handshakeless = await listen(t, createServer())
  assert.equal(shown(await get(handshakeless.port, { request })), timeout)
  const fetch = openGuardedFetch({ resolver: { addresses: () => new Promise(() => {}) } })
  assert.equal(shown(await fetch(`https://${HOST}/`, { ...request, maxOctets: 1 })), timeout)
})

test('whoever asked can call it off, before and during', async (t) => {
  const { port, sockets } = await serve(t, () => controller.abort())
  const controller = new AbortController()
  const request = { signal: controller.signal }
  assert.equal(shown(await get(port, { request })), 'aborted: aborted')
  assert.equal(shown(await get(port, { request })), 'aborted: aborted')
  assert.equal(sockets.size, 1)
})

test('a certificate has to hold: for the name, in time, from a known authority', async (t) => {
  const answer: RequestListener = (_, response) => response.end('secret')
  const wildcard = await serve(t, answer, { names: ['*.to.example'] })
  assert.equal(shown(await get(wildcard.port)), 'answered')
  const wrongName = await serve(t, answer, {
    names: ['mta-sts.other.example', 'to.example', '*.mta-sts.to.example'],
  })
  assert.match(shown(await get(wrongName.port)), /^tls: .*altnames/)
  const past = await serve(t, answer, { issuedAt: Date.now() - 3 * 24 * 60 * 60 * 1000 })
  assert.match(shown(await get(past.port)), /^tls: .*expired/)
  const future = await serve(t, answer, { issuedAt: Date.now() + 2 * 60 * 60 * 1000 })
  assert.match(shown(await get(future.port)), /^tls: .*not yet valid/)
  const stranger = await (await openTestAuthority()).issue([HOST])
  const foreign = await listen(t, createHttpsServer(stranger, answer))
  assert.match(shown(await get(foreign.port)), /^tls: /)
})

test('RFC 9525 §2: a common name is no name', () => {
  const subject = { C: '', ST: '', L: '', O: '', OU: '', CN: HOST }
  const certificate = { subject, subjectaltname: undefined } as unknown as PeerCertificate
  assert.match(checkDnsId(HOST, certificate)?.message ?? '', /does not contain a DNS name/)
  const ip = { subject, subjectaltname: 'IP Address:127.0.0.1' } as unknown as PeerCertificate
  assert.match(checkDnsId(HOST, ip)?.message ?? '', /does not contain a DNS name/)
  const named = { subject, subjectaltname: `DNS:${HOST}` } as unknown as PeerCertificate
  assert.equal(checkDnsId(HOST, named), undefined)
})

test('what is no HTTPS, and a peer that hangs up, are failures', async (t) => {
  const clear = await listen(
    t,
    createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\n')),
  )
  assert.match(shown(await get(clear.port)), /^tls: /)
  const rude = await serve(t, (request) => request.socket.destroy())
  assert.match(shown(await get(rude.port)), /^http: /)
  const garbled = await serve(t, (request) => request.socket.end('no such protocol\r\n\r\n'))
  assert.match(shown(await get(garbled.port)), /^http: /)
  const cut = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  })
  assert.match(shown(await get(cut.port)), /^http: /)
  const upgrading = await serve(t, (request) =>
    request.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  )
  assert.match(shown(await get(upgrading.port)), /^http: /)
  const closed = createServer()
  const { port } = await listen(t, closed)
  closed.close()
  assert.match(shown(await get(port)), /^connect: .*ECONNREFUSED/)
})

test('a host without an address, and a resolver that fails, are told apart from a refusal', async () => {
  assert.equal(shown(await get(443, { addresses: { kind: 'no-data' } })), `dns: ${HOST} has no address`)
  assert.equal(shown(await get(443, { addresses: { kind: 'no-such-name' } })), `dns: ${HOST} has no address`)
  const failing = { kind: 'temporary-failure', detail: 'ESERVFAIL' } as const
  assert.equal(shown(await get(443, { addresses: failing })), `dns: ${HOST}: ESERVFAIL`)
})

test('the next address is tried where one is dead', async (t) => {
  const { port } = await serve(t, (_, response) => response.end('here'), { host: '127.0.0.2' })
  const fetched = await get(port, { addresses: at('127.0.0.1', '127.0.0.2') })
  assert.equal(fetched.kind === 'answered' && fetched.body.toString(), 'here')
})

test('DNS is asked once, so it cannot name another address between check and connection', async (t) => {
  const { port } = await serve(t, (_, response) => response.end('checked'))
  const trap = await serve(t, (_, response) => response.end('trap'), { host: '127.0.0.2', port })
  let asked = 0
  const fetch = openGuardedFetch({
    resolver: { addresses: async () => at(asked++ === 0 ? '127.0.0.1' : '127.0.0.2') },
    allow: (host) => host === HOST,
    ca: (await theAuthority()).certificate,
  })
  const fetched = await fetch(`https://${HOST}:${port}/`, { timeoutMs: 5000, maxOctets: 1000 })
  assert.equal(fetched.kind === 'answered' && fetched.body.toString(), 'checked')
  assert.deepEqual([asked, trap.sockets.size], [1, 0])
})

/** Spellings of addresses that are not public. */
const INSIDE = [
  ...[
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '017700000001',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '127.1',
    '127.0.1',
  ],
  ...[
    '127.0.0.1.',
    '\uff11\uff12\uff17.0.0.1',
    '127\u30020\u30020\u30021',
    '%31%32%37.0.0.1',
    '0.0.0.0',
    '0',
  ],
  ...['[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]'],
  ...[
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[fd00::1]',
    '[fe80::1]',
  ],
  ...['10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.100.100.200', '255.255.255.255'],
]

/** Names that lead inside. */
const LEADING_INSIDE: Readonly<Record<string, Lookup<HostAddress>>> = {
  localhost: at('::1', '127.0.0.1'),
  'metadata.google.internal': at('169.254.169.254'),
  'private.example': at('10.0.0.1'),
  'mapped.example': at('::ffff:127.0.0.1'),
  'nat64.example': at('64:ff9b::7f00:1'),
  'link-local.example': at('fe80::1%eth0'),
  'unspecified.example': at('0.0.0.0'),
  // The public half alone would be dialled without this rule.
  'second-answer.example': at('1.1.1.1', '127.0.0.1'),
  'first-answer.example': at('::1', '1.1.1.1'),
  'no-address.example': at('localhost'),
}

test('nothing that is not public is dialled', async (t) => {
  const { port, sockets } = await serve(t, (_, response) => response.end('secret'), { names: ['127.0.0.1'] })
  const fetch = openGuardedFetch({
    resolver: { addresses: async (name) => LEADING_INSIDE[name] ?? { kind: 'no-such-name' } },
    allow: (host) => host === HOST,
    ca: (await theAuthority()).certificate,
  })
  const names = Object.keys(LEADING_INSIDE).flatMap((name) => [name, `${name}.`, name.toUpperCase()])
  for (const host of [...INSIDE, ...names]) {
    const fetched = await fetch(`https://${host}:${port}/`, { timeoutMs: 5000, maxOctets: 1000 })
    assert.equal(fetched.kind, 'refused', `${host}: ${shown(fetched)}`)
  }
  assert.equal(sockets.size, 0)
})

test('only https goes anywhere, and no URL carries credentials', async () => {
  const fetch = openGuardedFetch({ resolver: { addresses: () => assert.fail('it was looked up') } })
  const urls = [
    ...[
      `http://${HOST}/`,
      `file:///etc/passwd`,
      `ftp://${HOST}/`,
      'data:,x',
      'javascript:1',
      'gopher://x.example/',
    ],
    ...[`https://user@${HOST}/`, `https://:secret@${HOST}/`, `https://${HOST}@127.0.0.1/`],
    ...[
      '',
      'x',
      'https://',
      'https:///',
      '//x.example/',
      'https://a b/',
      'https://x.example:99999/',
      'https://[::1/',
    ],
  ]
  for (const url of urls) {
    const fetched = await fetch(url, { timeoutMs: 5000, maxOctets: 1 })
    assert.equal(fetched.kind, 'refused', url)
  }
})
