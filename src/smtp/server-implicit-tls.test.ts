import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { OPENING, playTlsClient, TO_DATA } from '#test/smtp-dialogue.ts'
import { type CollectingServer, openSocket, startSmtpServer, until } from '#test/smtp-server.ts'
import type { SmtpLimits } from './server-limits.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-smtp-'))
after(() => rm(folder, { recursive: true }))
const ca = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

function startImplicit(t: TestContext, limits: Partial<SmtpLimits> = {}): Promise<CollectingServer> {
  return startSmtpServer(t, { tls: { mode: 'implicit', context: () => ca.leaf }, limits })
}

/** A client that has shaken hands and read the greeting, cut at the end of the test. */
async function openTls(
  t: TestContext,
  port: number,
  options: ConnectionOptions & { readonly localAddress?: string } = {},
): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  t.after(() => void socket.destroy())
  await once(socket, 'data')
  return socket
}

/** A connection that does not shake hands. */
async function stall(t: TestContext, port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress })
  t.after(() => void socket.destroy())
  socket.on('error', () => {})
  socket.resume()
  await once(socket, 'connect')
  return socket
}

/** What a client sends first: the record of its ClientHello. */
async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const server = createServer((socket) => socket.once('data', resolve))
  await new Promise<void>((ready) => {
    server.listen(0, '127.0.0.1', ready)
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const client = connectTls({ port: address.port, host: '127.0.0.1' })
  client.on('error', () => {})
  try {
    return await promise
  } finally {
    client.destroy()
    server.close()
  }
}

test('the limits of connections hold over TLS: at once, and from one address', async (t) => {
  const server = await startImplicit(t, { connections: 3, connectionsPerAddress: 2 })
  const held = [await openTls(t, server.port), await openTls(t, server.port)]
  await assert.rejects(playTlsClient(server.port, 's: 220 …'), 'a third from the same address')
  held.push(await openTls(t, server.port, { localAddress: '127.0.0.2' }))
  await assert.rejects(openTls(t, server.port, { localAddress: '127.0.0.3' }), 'a fourth from anywhere')
  for (const socket of held) socket.destroy()
  await until(() => server.server.connections === 0)
  await playTlsClient(server.port, OPENING)
  assert.deepEqual(server.errors, [])
})

test('the limits of a session hold over TLS: errors, commands, messages', async (t) => {
  const server = await startImplicit(t, { errors: 1, commandsBeforeMail: 3, messagesPerConnection: 1 })
  await playTlsClient(
    server.port,
    `${OPENING}
      c: X
      c: X
      s: 500 …
      s: 421 4.7.0 Too many errors, closing connection
      s: (close)
    `,
  )
  await playTlsClient(
    server.port,
    `${OPENING}
      c: NOOP
      c: RSET
      c: NOOP
      s: 250 …
      s: 250 …
      s: 421 4.7.0 Too many commands without mail, closing connection
      s: (close)
    `,
  )
  await playTlsClient(
    server.port,
    `${TO_DATA}
      c: .
      s: 250 2.0.0 Kept
      c: MAIL FROM:<a@client.test>
      s: 421 4.7.0 Too many messages in this connection; open another
      s: (close)
    `,
  )
})

test('the time limits hold over TLS: for a command, and for a content', async (t) => {
  const server = await startImplicit(t, { idleMs: 100, dataMs: 100 })
  const timeout = `
    s: 421 4.4.2 Timeout, closing connection
    s: (close)
  `
  await playTlsClient(server.port, `${OPENING}${timeout}`)
  await playTlsClient(server.port, `${TO_DATA}\nc: half${timeout}`)
  assert.deepEqual(server.aborted, ['timeout'])
})

test('RFC 8996: TLS 1.2 and 1.3 are spoken, TLS 1.1 is not', async (t) => {
  const server = await startImplicit(t)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await openTls(t, server.port, { minVersion: version, maxVersion: version })
    assert.equal(socket.getProtocol(), version)
    socket.destroy()
  }
  await assert.rejects(
    openTls(t, server.port, {
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    }),
    { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' },
  )
  await until(() => server.server.connections === 0)
  assert.deepEqual(server.errors, [])
})

test('who does not shake hands properly leaves nothing behind, and is no error', async (t) => {
  const server = await startImplicit(t)
  const hello = await clientHello()
  const openings = {
    'plain SMTP': Buffer.from('EHLO client.test\r\nAUTH PLAIN AGEAYg==\r\n'),
    HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    garbage: Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 167 + 13) % 256)),
    'a damaged ClientHello': Buffer.concat([hello.subarray(0, 9), Buffer.alloc(hello.length - 9, 0xff)]),
  }
  for (const [name, bytes] of Object.entries(openings)) {
    const socket = await openSocket(t, server)
    socket.resume()
    const closed = once(socket, 'close')
    socket.write(bytes)
    await closed
    assert.equal(server.closed, 0, name)
  }
  for (const bytes of [Buffer.alloc(0), hello.subarray(0, hello.length / 2), hello]) {
    for (const leave of ['resetAndDestroy', 'end'] as const) {
      const socket = await openSocket(t, server)
      socket.resume()
      if (bytes.length > 0) socket.write(bytes)
      await sleep(5)
      socket[leave]()
    }
  }
  await until(() => server.server.connections === 0)
  assert.deepEqual(server.errors, [])
  assert.equal(server.closed, 0, 'there was no session')
  await playTlsClient(server.port, OPENING)
})

test('half a ClientHello has as long as a handshake may take', async (t) => {
  const server = await startImplicit(t, { handshakeMs: 100 })
  const hello = await clientHello()
  const socket = await openSocket(t, server)
  socket.resume()
  const closed = once(socket, 'close')
  socket.write(hello.subarray(0, hello.length / 2))
  const drip = setInterval(() => socket.write('x'), 20)
  await closed
  clearInterval(drip)
  await until(() => server.server.connections === 0)
  assert.deepEqual(server.errors, [])
})

test('half-open handshakes have limits of their own, and the oldest gives way when it had its time', async (t) => {
  const server = await startImplicit(t, { handshakes: 3, handshakesPerAddress: 2 })
  const oldest = await stall(t, server.port)
  const other = await stall(t, server.port)
  await until(() => server.server.connections === 2)
  const gone = once(oldest, 'close')
  await assert.rejects(playTlsClient(server.port, 's: 220 …'), 'its address has its share')
  const elsewhere = await openTls(t, server.port, { localAddress: '127.0.0.2' })
  await stall(t, server.port, '127.0.0.3')
  await until(() => server.server.connections === 4)
  await assert.rejects(openTls(t, server.port, { localAddress: '127.0.0.4' }), 'there are three')
  await sleep(1050)
  await openTls(t, server.port, { localAddress: '127.0.0.4' })
  await gone
  assert.ok(!other.closed && !elsewhere.closed)
  assert.equal(server.server.connections, 4)
  assert.deepEqual(server.errors, [])
})

test('a handshake that gives way is no longer counted as a connection', async (t) => {
  const server = await startImplicit(t, { handshakesPerAddress: 1, connectionsPerAddress: 1 })
  await stall(t, server.port)
  await until(() => server.server.connections === 1)
  await sleep(1050)
  for (let times = 0; times < 3; times++) {
    const socket = await openTls(t, server.port)
    assert.equal(server.server.connections, 1)
    socket.destroy()
    await until(() => server.server.connections === 0)
  }
})

test('RFC 3207 §4: STARTTLS is put off while too many handshakes are half-open', async (t) => {
  const server = await startSmtpServer(t, {
    tls: { mode: 'starttls', context: () => ca.leaf },
    limits: { handshakes: 1, handshakeMs: 300 },
  })
  const script = 'HELO c\r\nSTARTTLS\r\n'
  const first = await openSocket(t, server)
  const second = await openSocket(t, server)
  let said = ''
  first.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  first.write(script)
  await until(() => said.includes('Ready to start TLS'))
  said = ''
  second.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  second.write(script)
  await until(() => said.includes('454 4.7.0 TLS not available due to temporary reason\r\n'))
  await once(first, 'close')
  second.write('STARTTLS\r\n')
  await until(() => said.includes('Ready to start TLS'))
})
