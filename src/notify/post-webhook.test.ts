import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isPublicAddress } from '#net/private-address.ts'
import type { HostAddress, Lookup } from '#net/resolver.ts'
import { answering, openReceiver, type Receiver, receiverAuthority } from '#test/webhook-receiver.ts'
import { openPostWebhook, type Posted, type PostWebhookOptions } from './post-webhook.ts'

const HOST = 'hook.example'

const at = (...addresses: string[]): Lookup<HostAddress> => ({
  kind: 'found',
  records: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
})

async function post(
  url: string,
  options: Partial<PostWebhookOptions> = {},
  signal?: AbortSignal,
): Promise<Posted> {
  const send = openPostWebhook({
    resolver: { addresses: async (name) => (name === HOST ? at('127.0.0.1') : { kind: 'no-such-name' }) },
    mayDial: (address) => address === '127.0.0.1' || address === '127.0.0.2',
    plainHttp: false,
    ca: (await receiverAuthority()).certificate,
    timeoutMs: 2000,
    ...options,
  })
  const headers = { 'webhook-id': 'msg_1' }
  return send(url, { headers, body: '{"type":"t","payload":{"eventId":"e"}}', ...(signal && { signal }) })
}

const shown = (posted: Posted) =>
  posted.kind === 'failed'
    ? `${posted.fault}: ${posted.detail}`
    : posted.kind === 'answered'
      ? `${posted.status} ${posted.excerpt}`
      : posted.kind

async function receiver(t: TestContext, ...args: Parameters<typeof openReceiver>): Promise<Receiver> {
  const [names = [HOST], options] = args
  const opened = await openReceiver(names, options)
  t.after(() => opened[Symbol.asyncDispose]())
  return opened
}

/** Answers octets of its own, in the clear. */
async function rawServer(t: TestContext, answer: string | undefined, port = 0): Promise<number> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => (answer === undefined ? socket.destroy() : socket.end(answer)))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

test('a POST over verified TLS, whole, with nothing but what it needs', async (t) => {
  const { port, received } = await receiver(t)
  const posted = await post(`https://${HOST}:${port}/hooks/mail?a=b`)
  assert.deepEqual(posted, { kind: 'answered', status: 200, excerpt: 'thanks' })
  assert.equal(received[0]?.path, '/hooks/mail?a=b')
  assert.deepEqual(received[0]?.headers, {
    host: `${HOST}:${port}`,
    'content-type': 'application/json',
    'user-agent': 'Posthorn-Webhooks',
    'accept-encoding': 'identity',
    'webhook-id': 'msg_1',
    'content-length': '38',
    connection: 'close',
  })
})

test('a redirect is an answer and is not followed', async (t) => {
  const inside = await receiver(t)
  const redirecting = await receiver(t)
  for (const status of [301, 302, 303, 307, 308]) {
    redirecting.behave(answering(status, '', { location: `https://${HOST}:${inside.port}/` }))
    assert.equal(shown(await post(`https://${HOST}:${redirecting.port}/`)), `${status} `)
  }
  assert.equal(inside.connections(), 0)
})

test('of an answer an excerpt is kept, without what no log should hold, and an endless one ends', async (t) => {
  const { port, behave } = await receiver(t)
  behave(answering(500, `a\u0000b\u001b[31m\n${'ü'.repeat(2000)}`))
  const long = await post(`https://${HOST}:${port}/`)
  assert.ok(long.kind === 'answered' && long.excerpt.length < 1024)
  assert.match(long.excerpt, /^a b {1,2}\[31m\nü+/)
  behave((_received, response) => {
    const pour = () => {
      while (response.writable && response.write('x'.repeat(1000)));
    }
    response.on('drain', pour)
    pour()
  })
  const endless = await post(`https://${HOST}:${port}/`)
  assert.ok(endless.kind === 'answered' && endless.excerpt === 'x'.repeat(1024))
})

test('a status is what counts, also where the rest never comes', async (t) => {
  const { port, behave } = await receiver(t)
  behave((_received, response) => {
    response.writeHead(200)
    response.write('half')
  })
  assert.equal(shown(await post(`https://${HOST}:${port}/`)), '200 half')
  behave((_received, response) => {
    response.writeHead(202, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  })
  assert.equal(shown(await post(`https://${HOST}:${port}/`)), '202 half')
})

test('Retry-After is read, in seconds and as a date, and bounded', async (t) => {
  const { port, behave } = await receiver(t)
  const wait = async (header: string) => {
    behave(answering(429, '', { 'retry-after': header }))
    const posted = await post(`https://${HOST}:${port}/`)
    return posted.kind === 'answered' ? posted.retryAfterMs : assert.fail(shown(posted))
  }
  assert.equal(await wait('120'), 120_000)
  assert.equal(await wait('999999999'), 86_400_000)
  const date = await wait(new Date(Date.now() + 3_600_000).toUTCString())
  assert.ok(date !== undefined && date > 3_500_000 && date <= 3_600_000)
  for (const none of ['soon', '-1', '0', new Date(0).toUTCString()]) assert.equal(await wait(none), undefined)
})

test('who hangs at any point costs its time and no more', async (t) => {
  const timeoutMs = 300
  const timeout = 'timeout: Nothing was answered within 300 ms.'
  const mute = await receiver(t)
  mute.behave(() => {})
  assert.equal(shown(await post(`https://${HOST}:${mute.port}/`, { timeoutMs })), timeout)
  const dripping = await receiver(t)
  dripping.behave((_received, response, request) => {
    request.socket.write('HTTP/1.1 200 OK\r\n')
    const timer = setInterval(() => request.socket.write('X-Drip: drip\r\n'), 20)
    response.on('close', () => clearInterval(timer))
  })
  assert.equal(shown(await post(`https://${HOST}:${dripping.port}/`, { timeoutMs })), timeout)
  const handshakeless = createServer((socket) => socket.on('error', () => {}).resume())
  handshakeless.listen(0, '127.0.0.1')
  await once(handshakeless, 'listening')
  const address = handshakeless.address()
  assert.ok(address !== null && typeof address === 'object')
  assert.equal(shown(await post(`https://${HOST}:${address.port}/`, { timeoutMs })), timeout)
  handshakeless.close()
  const resolver = { addresses: () => new Promise<never>(() => {}) }
  assert.equal(shown(await post(`https://${HOST}/`, { timeoutMs, resolver })), timeout)
})

test('garbage is a failure, whatever kind it is', async (t) => {
  const options = { plainHttp: true }
  const url = (port: number) => `http://127.0.0.1:${port}/`
  const garbage = [
    'no such protocol\r\n\r\n',
    'HTTP/1.1 999999 x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nzz',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    '\u0000\u0001\u0002',
    '',
  ]
  for (const answer of garbage) {
    assert.match(shown(await post(url(await rawServer(t, answer)), options)), /^http: /, answer.slice(0, 40))
  }
  assert.match(shown(await post(url(await rawServer(t, undefined)), options)), /^http: /)
  // RFC 9110 §15.2: one or more may come before the answer; a stream of them would be read for as long as it comes.
  const hints = (count: number) =>
    `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(count)}HTTP/1.1 204 Done\r\n\r\n`
  assert.equal(shown(await post(url(await rawServer(t, hints(3))), options)).trim(), '204')
  assert.match(shown(await post(url(await rawServer(t, hints(1000))), options)), /^http: .*interim/)
  // In the clear where TLS is asked for.
  const clear = await rawServer(t, 'HTTP/1.1 200 OK\r\n\r\n')
  assert.match(shown(await post(`https://${HOST}:${clear}/`)), /^tls: /)
  assert.match(shown(await post(`https://${HOST}:1024/`)), /^connect: .*ECONNREFUSED/)
})

test('a certificate has to hold: for the name, from a known authority', async (t) => {
  const other = await receiver(t, ['other.example'])
  assert.match(shown(await post(`https://${HOST}:${other.port}/`)), /^tls: .*altnames/)
  const { port } = await receiver(t)
  assert.match(shown(await post(`https://${HOST}:${port}/`, { ca: undefined })), /^tls: /)
})

test('DNS is asked once: what it says between check and connection leads nowhere', async (t) => {
  const { port } = await receiver(t)
  const trap = await receiver(t, [HOST], { port, host: '127.0.0.2' })
  let asked = 0
  const resolver = { addresses: async () => at(asked++ === 0 ? '127.0.0.1' : '127.0.0.2') }
  assert.equal(shown(await post(`https://${HOST}:${port}/`, { resolver })), '200 thanks')
  assert.deepEqual([asked, trap.connections()], [1, 0])
})

test('nothing inside is dialled, whatever leads there', async (t) => {
  const { port, connections } = await receiver(t, ['127.0.0.1', HOST])
  const inside: Readonly<Record<string, Lookup<HostAddress>>> = {
    'metadata.google.internal': at('169.254.169.254'),
    'private.example': at('10.0.0.1'),
    'loopback.example': at('127.0.0.1'),
    'mapped.example': at('::ffff:127.0.0.1'),
    'nat64.example': at('64:ff9b::7f00:1'),
    'unspecified.example': at('0.0.0.0'),
    'second-answer.example': at('1.1.1.1', '127.0.0.1'),
    'first-answer.example': at('::1', '1.1.1.1'),
    'no-address.example': at('localhost'),
  }
  const options = {
    mayDial: isPublicAddress,
    resolver: { addresses: async (name: string) => inside[name] ?? { kind: 'no-such-name' as const } },
  }
  const literal = ['localhost', 'x.localhost', '127.0.0.1', '2130706433', '[::1]', '[::ffff:7f00:1]']
  for (const host of [...literal, ...Object.keys(inside)]) {
    for (const spelled of [host, host.toUpperCase(), host.startsWith('[') ? host : `${host}.`]) {
      const posted = await post(`https://${spelled}:${port}/`, options)
      assert.match(shown(posted), /^refused: /, spelled)
      // What is inside is nobody's to learn.
      assert.doesNotMatch(shown(posted), /169\.254|10\.0\.0\.1|fd00/)
    }
  }
  // In the clear to this machine alone, also where more may be dialled.
  const open = { plainHttp: true, mayDial: () => true, resolver: { addresses: async () => at('192.0.2.1') } }
  assert.match(shown(await post(`http://${HOST}:${port}/`, open)), /^refused: /)
  assert.equal(connections(), 0)
})

test('a host without an address, and a resolver that fails', async () => {
  assert.match(shown(await post('https://none.example/')), /^dns: none\.example has no address/)
  const resolver = { addresses: async () => ({ kind: 'temporary-failure', detail: 'ESERVFAIL' }) as const }
  assert.equal(shown(await post(`https://${HOST}/`, { resolver })), `dns: ${HOST}: ESERVFAIL`)
})

test('who asked can call it off, before and during', async (t) => {
  const { port, behave, connections } = await receiver(t)
  const controller = new AbortController()
  behave(() => controller.abort())
  assert.equal(shown(await post(`https://${HOST}:${port}/`, {}, controller.signal)), 'aborted')
  assert.equal(shown(await post(`https://${HOST}:${port}/`, {}, controller.signal)), 'aborted')
  await sleep(0)
  assert.equal(connections(), 1)
})
