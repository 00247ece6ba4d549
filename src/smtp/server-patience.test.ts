import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OPENING, playClient, TO_DATA } from '#test/smtp-dialogue.ts'
import { openSocket, startSmtpServer, until } from '#test/smtp-server.ts'

/** A connection that reads all it is told. */
async function listen(
  t: TestContext,
  server: { readonly port: number },
): Promise<{ said: string; socket: Socket }> {
  const socket = await openSocket(t, server)
  const peer = { said: '', socket }
  socket.on('data', (chunk: Buffer) => {
    peer.said += chunk.toString()
  })
  return peer
}

const IDLE = '421 4.7.0 Too many connections, and this one is idle; try again later\r\n'

test('who is quick at first saves up no time to be slow in later', async (t) => {
  const server = await startSmtpServer(t, { limits: { dataMs: 200, dataBytesPerSecond: 10_000 } })
  const { socket } = await listen(t, server)
  // All of it would have earned more than a minute.
  socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\n')
  socket.write(Buffer.alloc(1_000_000, 'x'))
  const ended = once(socket, 'end')
  const drip = setInterval(() => socket.write('x'), 20)
  await ended
  clearInterval(drip)
  assert.deepEqual(server.aborted, ['timeout'])
})

test('a connection has its time, in which a content that has begun is taken and no command after it', async (t) => {
  const server = await startSmtpServer(t, { limits: { sessionMs: 100 } })
  const idle = playClient(
    server.port,
    `${OPENING}
      s: 421 4.4.2 …
      s: (close)
    `,
  )
  const { said, socket } = await listen(t, server)
  assert.equal(said, '')
  socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\nhello')
  await idle
  await sleep(100)
  const ended = once(socket, 'end')
  socket.write('\r\n.\r\nMAIL FROM:<>\r\n')
  await ended
  assert.equal(server.messages.length, 1)
  assert.equal(server.senders.length, 1)
})

test('a peer that never pauses has no more time than others', async (t) => {
  const server = await startSmtpServer(t, {
    limits: { sessionMs: 100, commandsBeforeMail: Infinity },
    handler: { rcpt: async () => ({ code: 450, text: 'Not now' }) },
  })
  const peer = await listen(t, server)
  const ended = once(peer.socket, 'end')
  peer.socket.write('HELO c\r\nMAIL FROM:<>\r\n')
  const flood = setInterval(() => peer.socket.write('RCPT TO:<a@mx.test>\r\n'.repeat(100)), 1)
  await ended
  clearInterval(flood)
  assert.match(peer.said, /\r\n421 4\.4\.2 [^\n]*\r\n$/)
})

test('where all connections are taken, the one idle for the longest gives way, in a transaction or not', async (t) => {
  const server = await startSmtpServer(t, { limits: { connections: 3, giveWayMs: 50 } })
  const [first, second, third] = [await listen(t, server), await listen(t, server), await listen(t, server)]
  second.socket.write('HELO c\r\nMAIL FROM:<>\r\n')
  await until(() => second.said.includes('2.1.0'))
  await playClient(server.port, 's: 421 4.7.0 Too many connections, try again later\ns: (close)')
  await sleep(60)
  first.socket.write('NOOP\r\n')
  await until(() => first.said.includes('2.0.0'))
  await playClient(server.port, OPENING)
  await until(() => third.said.endsWith(IDLE))
  assert.equal(second.said.includes('421'), false)
  assert.equal(first.said.includes('421'), false)
})

test('who is being answered, or sends a content, does not give way', async (t) => {
  let answer: () => void = () => {}
  const server = await startSmtpServer(t, {
    limits: { connections: 2, giveWayMs: 20 },
    handler: {
      rcpt: (_, to) =>
        to === 'slow@mx.test'
          ? new Promise((resolve) => {
              answer = () => resolve(undefined)
            })
          : undefined,
    },
  })
  const [slow, sending] = [await listen(t, server), await listen(t, server)]
  slow.socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<slow@mx.test>\r\n')
  sending.socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\nhello')
  await until(() => sending.said.includes('354') && server.senders.length === 2)
  await sleep(50)
  await playClient(server.port, 's: 421 4.7.0 …\ns: (close)')
  answer()
  await until(() => slow.said.includes('2.1.5'))
  await sleep(30)
  await playClient(server.port, TO_DATA)
  await until(() => slow.said.endsWith(IDLE))
})

test('a thousand idle sockets keep nobody out', async (t) => {
  const server = await startSmtpServer(t, {
    limits: { connections: 1000, connectionsPerAddress: 2000, giveWayMs: 200 },
  })
  const idle = await Promise.all(Array.from({ length: 1000 }, () => openSocket(t, server)))
  for (const socket of idle) socket.resume()
  await until(() => server.server.connections === 1000)
  await sleep(220)
  await Promise.all(
    Array.from({ length: 20 }, () =>
      playClient(server.port, `${TO_DATA}\nc: x\nc: .\ns: 250 2.0.0 Kept\nc: QUIT\ns: 221 …\ns: (close)`),
    ),
  )
  assert.equal(server.messages.length, 20)
  assert.ok(server.server.connections <= 1000)
})
