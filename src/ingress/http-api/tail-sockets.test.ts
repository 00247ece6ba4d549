import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import Fastify from 'fastify'
import { openLog } from '#observe/log.ts'
import { pingFrame, textFrame } from '#protocol/web-socket.ts'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { openTails, type Tails } from '#workers/tails/tails.ts'
import { listenHttp } from './listen-http.ts'
import { openTailSockets, tailPath } from './tail-sockets.ts'

/** The WebSocket of a tail over the door's own listener: with the client that Node has, and octet by octet. */
const PLACE = { accountId: 'a'.repeat(32), scriptName: 'mail' }
const EVENT = { mailFrom: 'a@x.example', rcptTo: 'b@example.com', rawSize: 9 }

function trace(logged = ''): WorkerTrace {
  return {
    ...{ ...PLACE, versionId: 'v', outcome: 'ok', exceptions: [], eventTimestamp: 5, event: EVENT },
    logs: logged === '' ? [] : [{ message: [logged], level: 'log', timestamp: 5 }],
  }
}

interface World extends AsyncDisposable {
  readonly port: number
  readonly tails: Tails
  /** The URL of a new tail. */
  open(isAllowed?: () => Promise<boolean>): string
  close(): Promise<void>
}

async function openWorld({ beatMs = 60_000 } = {}): Promise<World> {
  const tails = openTails({ now: Date.now })
  const log = openLog('silent', new PassThrough())
  const sockets = openTailSockets({ tails, allowedHosts: [], log, beatMs })
  const app = Fastify()
  app.get('/*', (request, reply) => reply.send(request.url))
  const http = await listenHttp(app, { variable: 'X', port: 0, sockets })
  let closing: Promise<void> | undefined
  const close = () => (closing ??= http.close())
  return {
    ...{ port: http.port, tails, close },
    open(isAllowed = async () => true) {
      const tail = tails.open({ ...PLACE, filters: [], isAllowed })
      assert.ok(tail)
      return `ws://127.0.0.1:${http.port}${tailPath(tail.key)}`
    },
    [Symbol.asyncDispose]: close,
  }
}

/** Node's own client. */
async function client(url: string) {
  const socket = new WebSocket(url, 'trace-v1')
  const messages: string[] = []
  let wake = () => {}
  socket.addEventListener('message', ({ data }) => {
    messages.push(String(data))
    wake()
  })
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve(code)),
  )
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  return {
    ...{ socket, closed },
    told: async (count: number): Promise<readonly string[]> => {
      while (messages.length < count) await new Promise<void>((resolve) => (wake = resolve))
      return messages
    },
  }
}

const HANDSHAKE = {
  Host: 'localhost',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'trace-v1',
}

/** Says it by hand; out: the connection, and the head of what was answered. */
async function handshake(
  world: World,
  path: string,
  more: Readonly<Record<string, string | undefined>> = {},
) {
  const socket = connect(world.port, '127.0.0.1')
  const headers = Object.entries({ ...HANDSHAKE, ...more })
  const lines = headers.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  let answer = ''
  while (!answer.includes('\r\n\r\n')) {
    const [chunk] = await once(socket, 'data')
    answer += String(chunk)
  }
  return { socket, answer }
}

async function ended(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('error', () => undefined)
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('events arrive as they are told, large ones whole', async () => {
  await using world = await openWorld()
  const { told, socket } = await client(world.open())
  assert.equal(socket.protocol, 'trace-v1')
  world.tails.publish(trace())
  world.tails.publish(trace('ö'.repeat(100_000)))
  const [first = '', second = ''] = await told(2)
  assert.deepEqual(JSON.parse(first).event, EVENT)
  assert.equal(JSON.parse(second).logs[0].message[0].length, 100_000)
  socket.close()
})

test('wrangler’s first frame, which is not masked, and its pings', async () => {
  await using world = await openWorld()
  const { socket, answer } = await handshake(world, new URL(world.open()).pathname)
  assert.match(answer, /^HTTP\/1\.1 101 /)
  assert.match(answer, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
  socket.write(Buffer.concat([textFrame('{"debug":false}'), pingFrame()]))
  const [pong] = await once(socket, 'data')
  assert.equal(pong.toString('hex'), '8a00')
  world.tails.publish(trace())
  const [event] = await once(socket, 'data')
  assert.equal(event[0], 0x81)
  socket.destroy()
})

test('a frame that comes together with the handshake is heard', async () => {
  await using world = await openWorld()
  const socket = connect(world.port, '127.0.0.1')
  const lines = Object.entries(HANDSHAKE).map(([name, value]) => `${name}: ${value}`)
  const head = `GET ${new URL(world.open()).pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
  socket.write(Buffer.concat([Buffer.from(head), pingFrame()]))
  let answer = Buffer.alloc(0)
  while (!answer.toString('hex').endsWith('8a00'))
    answer = Buffer.concat([answer, (await once(socket, 'data'))[0]])
  socket.destroy()
})

const REFUSED: readonly [name: string, more: Readonly<Record<string, string | undefined>>, status: number][] =
  [
    ['another version', { 'Sec-WebSocket-Version': '8' }, 426],
    ['no key', { 'Sec-WebSocket-Key': undefined }, 400],
    ['no subprotocol', { 'Sec-WebSocket-Protocol': undefined }, 400],
    ['another subprotocol', { 'Sec-WebSocket-Protocol': 'chat' }, 400],
    ['another host', { Host: 'evil.example' }, 403],
    ['a page of somebody else’s', { Origin: 'https://evil.example' }, 403],
  ]

for (const [name, more, status] of REFUSED) {
  test(`refused: ${name}`, async () => {
    await using world = await openWorld()
    const { socket, answer } = await handshake(world, new URL(world.open()).pathname, more)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    await ended(socket)
  })
}

test('a URL that is no tail’s, and one whose token has ended, are refused alike', async () => {
  await using world = await openWorld()
  const none = await handshake(world, tailPath('x'.repeat(43)))
  const ended = await handshake(world, new URL(world.open(async () => false)).pathname)
  assert.match(none.answer, /^HTTP\/1\.1 404 /)
  assert.equal(ended.answer, none.answer)
  const broken = await handshake(world, new URL(world.open(() => Promise.reject(new Error('away')))).pathname)
  assert.match(broken.answer, /^HTTP\/1\.1 503 /)
  for (const { socket } of [none, ended, broken]) socket.destroy()
})

test('who was refused and stays is cut off', async () => {
  await using world = await openWorld()
  const socket = connect({ host: '127.0.0.1', port: world.port, allowHalfOpen: true })
  const lines = Object.entries(HANDSHAKE).map(([name, value]) => `${name}: ${value}`)
  socket.write(`GET ${tailPath('x')} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  await once(socket.resume(), 'end')
  // Until this side is gone, what is written there is answered with a reset.
  const closed = once(socket, 'close').catch(() => undefined)
  const writing = setInterval(() => socket.write('x'), 50)
  socket.on('error', () => undefined)
  await closed
  clearInterval(writing)
})

test('what offers another protocol, or another path, is an ordinary request', async () => {
  await using world = await openWorld()
  const elsewhere = await handshake(world, '/elsewhere')
  assert.match(elsewhere.answer, /^HTTP\/1\.1 200 /)
  const http2 = await handshake(world, '/x', { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings' })
  assert.match(http2.answer, /^HTTP\/1\.1 200 /)
  for (const { socket } of [elsewhere, http2]) socket.destroy()
})

test('a client that closes is answered, and told nothing more', async () => {
  await using world = await openWorld()
  const { socket, closed } = await client(world.open())
  socket.close(1000)
  assert.equal(await closed, 1000)
  world.tails.publish(trace())
})

test('a tail that was deleted ends in order; the end of the server asks to come back', async () => {
  await using world = await openWorld()
  const deleted = await client(world.open())
  world.tails.removeAll(PLACE)
  assert.equal(await deleted.closed, 1000)
  const other = await client(world.open())
  const closing = world.close()
  assert.equal(await other.closed, 1001)
  await closing
})

test('a URL that is read again is taken from who read it', async () => {
  await using world = await openWorld()
  const url = world.open()
  const first = await client(url)
  const second = await client(url)
  assert.equal(await first.closed, 1000)
  world.tails.publish(trace())
  assert.equal((await second.told(1)).length, 1)
  second.socket.close()
})

test('who does not keep to the protocol is told so', async () => {
  await using world = await openWorld()
  const { socket } = await handshake(world, new URL(world.open()).pathname)
  const rest = ended(socket)
  socket.write(Buffer.from([0x83, 0x00]))
  assert.equal((await rest).subarray(0, 4).toString('hex').slice(4), '03ea')
})

test('who does not read is cut off, and costs a bounded memory until then', async () => {
  await using world = await openWorld()
  const url = world.open()
  const { socket } = await handshake(world, new URL(url).pathname)
  socket.pause()
  const large = trace('x'.repeat(500_000))
  for (let count = 0; count < 100; count++) {
    world.tails.publish(large)
    await new Promise((resolve) => setImmediate(resolve))
  }
  let octets = 0
  socket.on('error', () => undefined)
  for await (const chunk of socket) octets += chunk.length
  assert.ok(octets < 20_000_000, `${octets} octets of fifty million`)
  // Whoever comes back reads the tail again.
  const { told, socket: again } = await client(url)
  world.tails.publish(trace())
  assert.equal((await told(1)).length, 1)
  again.close()
})

test('who is gone, or may not look any more, is noticed at a beat', async () => {
  await using world = await openWorld({ beatMs: 20 })
  const silent = await handshake(world, new URL(world.open()).pathname)
  assert.ok((await ended(silent.socket)).includes(Buffer.from('8900', 'hex')))
  let allowed = true
  const { closed } = await client(world.open(async () => allowed))
  allowed = false
  assert.equal(await closed, 1008)
})
