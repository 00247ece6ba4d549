import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { OPENING, playClient, TO_DATA } from '#test/smtp-dialogue.ts'
import { openSocket, startSmtpServer, until } from '#test/smtp-server.ts'

test('each content ends once: a disconnect, a time-out and a shutdown abort it', async (t) => {
  const server = await startSmtpServer(t, { limits: { dataMs: 100 } })
  await playClient(server.port, `${TO_DATA}\nc: half`)
  await until(() => server.aborted.length === 1)
  await playClient(
    server.port,
    `${TO_DATA}
      c: half
      s: 421 4.4.2 Timeout, closing connection
      s: (close)
    `,
  )
  const slow = playClient(server.port, `${TO_DATA}\nc: half\ns: (close)`)
  await until(() => server.senders.length === 3)
  await sleep(20)
  await server.server.close({ graceMs: 0 })
  await slow
  assert.deepEqual(server.aborted, ['disconnected', 'timeout', 'shutdown'])
})

test('RFC 5321 §4.5.3.2.7: a command that does not arrive in time, byte by byte or not at all, ends the session', async (t) => {
  const server = await startSmtpServer(t, { limits: { idleMs: 150 } })
  await playClient(
    server.port,
    `${OPENING}
      s: 421 4.4.2 Timeout, closing connection
      s: (close)
    `,
  )
  const dripping = await openSocket(t, server)
  const ended = once(dripping, 'end')
  dripping.resume()
  const drip = setInterval(() => dripping.write('N'), 20)
  await ended
  clearInterval(drip)
})

test('a content has time for itself as a whole, and a peer that sends it in drips cannot stretch it', async (t) => {
  const server = await startSmtpServer(t, { limits: { dataMs: 300, dataBytesPerSecond: 10_000_000 } })
  const socket = await openSocket(t, server)
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\n')
  const ended = once(socket, 'end')
  // Each of them a sign of life in good time.
  const drip = setInterval(() => socket.write(Buffer.alloc(4096, 'x')), 20)
  await ended
  clearInterval(drip)
  assert.match(said, /\r\n421 4\.4\.2 Timeout, closing connection\r\n$/)
  assert.deepEqual(server.aborted, ['timeout'])
})

test('a content that comes slowly but steadily earns the time that it takes', async (t) => {
  const server = await startSmtpServer(t, { limits: { dataMs: 200, dataBytesPerSecond: 4096 } })
  const socket = await openSocket(t, server)
  socket.resume()
  socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\n')
  for (let sent = 0; sent < 10; sent++) {
    socket.write(Buffer.alloc(4096, 'x'))
    await sleep(50)
  }
  socket.write('\r\n.\r\n')
  await until(() => server.messages.length === 1)
})

test('a slow handler is not the peer’s fault', async (t) => {
  const server = await startSmtpServer(t, {
    limits: { idleMs: 50, dataMs: 50 },
    handler: {
      rcpt: async () => {
        await sleep(150)
        return undefined
      },
      data: () => ({
        write: () => sleep(150),
        end: async () => {
          await sleep(150)
          return { code: 250, text: 'Kept' }
        },
        abort: () => {},
      }),
    },
  })
  await playClient(
    server.port,
    `${OPENING}
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<b@mx.test>
      c: DATA
      s: 250 …
      s: 250 …
      s: 354 …
      c: x
      c: .
      c: QUIT
      s: 250 Kept
      s: 221 …
      s: (close)
    `,
  )
})

test('close(): 421 to the idle, transactions finish, no new ones begin', async (t) => {
  const server = await startSmtpServer(t)
  let closing: Promise<void> | undefined
  const idle = playClient(
    server.port,
    `${OPENING}
      s: 421 4.3.2 Service shutting down, try again later
      s: (close)
    `,
  )
  const half = await openSocket(t, server)
  let said = ''
  half.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  half.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\nhello')
  await until(() => said.includes('354'))
  closing = server.server.close({ graceMs: 5000 })
  await idle
  await until(() => server.server.connections === 1)
  half.write('\r\n.\r\nMAIL FROM:<>\r\n')
  await once(half, 'end')
  half.destroy()
  await closing
  assert.match(said, /250 2\.0\.0 Kept\r\n421 4\.3\.2 [^\n]*\n$/)
  assert.equal(server.messages.length, 1)
  assert.equal(server.server.connections, 0)
  await assert.rejects(playClient(server.port, 's: 220 …'))
  const again = await server.server.listen({ host: '127.0.0.1', port: 0 })
  await playClient(again.port, OPENING)
})

test('a sink that is slow holds its peer back', async (t) => {
  let release: () => void = () => {}
  let taken = 0
  const server = await startSmtpServer(t, {
    handler: {
      data: () => ({
        write: (chunk) => {
          taken += chunk.length
          return new Promise<void>((resolve) => {
            release = resolve
          })
        },
        end: async () => ({ code: 250, text: 'Kept' }),
        abort: () => {},
      }),
    },
  })
  const socket = await openSocket(t, server)
  socket.resume()
  socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\n')
  const size = 20 * 1024 * 1024
  socket.write(Buffer.alloc(size, 'x'))
  socket.write('\r\n.\r\nQUIT\r\n')
  await until(() => taken > 0)
  await sleep(100)
  assert.ok(taken < 1024 * 1024, `${taken} bytes were pressed on a sink that was not ready`)
  assert.ok(socket.writableLength > 0, 'the peer waits')
  const ended = once(socket, 'end')
  const releasing = setInterval(() => release(), 0)
  await ended
  clearInterval(releasing)
  assert.equal(taken, size + 2)
})

test('a flood of commands whose replies nobody reads stops at the peer', async (t) => {
  const server = await startSmtpServer(t, { limits: { commandsBeforeMail: Infinity, errors: Infinity } })
  const socket = await openSocket(t, server)
  const commands = Buffer.from('NOOP\r\n'.repeat(100_000))
  for (let blocks = 0; blocks < 25; blocks++) socket.write(commands)
  await sleep(200)
  assert.ok(socket.writableLength > 1_000_000, 'the peer keeps what the server does not take')
  socket.resume()
  socket.end('QUIT\r\n')
  await once(socket, 'end')
})

test('a scripted disconnect closes without a reply', async (t) => {
  const server = await startSmtpServer(t, {
    handler: {
      data: (session) => ({
        write: () => {},
        end: async () => {
          session.destroy()
          return { code: 250, text: 'never said' }
        },
        abort: () => {},
      }),
    },
  })
  await playClient(server.port, `${TO_DATA}\nc: x\nc: .\ns: (close)`)
  await until(() => server.closed === 1)
  assert.deepEqual(server.errors, [])
})

test('whatever a stranger sends, the server lives and nothing is kept that was not sent whole', async (t) => {
  const server = await startSmtpServer(t, { limits: { errors: 1000, messageBytes: 20 } })
  const piece = fc.constantFrom(
    ...[
      'EHLO a\r\n',
      'MAIL FROM:<>\r\n',
      'RCPT TO:<a@b>\r\n',
      'DATA\r\n',
      '.\r\n',
      'RSET\r\n',
      'x'.repeat(13_000),
    ],
    ...[
      '\r',
      '\n',
      '\0',
      '.',
      '\r\n',
      'AUTH PLAIN\r\n',
      'STARTTLS\r\n',
      'BDAT 3\r\n',
      ' ',
      '\x16\x03\x01',
      '<',
      ':',
    ],
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (pieces) => {
      const socket = await openSocket(t, server)
      socket.resume()
      const closed = once(socket, 'close')
      for (const text of pieces) socket.write(text, 'latin1')
      socket.end()
      await closed
    }),
    { numRuns: 200 },
  )
  await playClient(server.port, OPENING)
  assert.deepEqual(server.errors, [])
  for (const { content } of server.messages) assert.ok(content.length <= 20)
})
