import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { playTlsClient } from '#test/smtp-dialogue.ts'
import { type CollectingServer, startSmtpServer, until } from '#test/smtp-server.ts'
import type { SmtpHandler } from './handler.ts'
import type { Reply } from './reply.ts'
import type { SmtpLimits } from './server-limits.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-smtp-'))
after(() => rm(folder, { recursive: true }))
const ca = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const RIGHT = base64('\0api_token\0secret')
const WRONG = base64('\0api_token\0guess')
const REFUSED: Reply = { code: 535, enhanced: '5.7.8', text: 'Authentication failed' }

const authenticating: Partial<SmtpHandler> = {
  authenticate: async (_, username, password) =>
    username === 'api_token' && password === 'secret' ? undefined : REFUSED,
}

const OPENING = `
  s: 220 mx.test Posthorn Email ESMTP Service ready
  c: EHLO client.test
  s: 250-mx.test greets client.test
  s: 250-AUTH PLAIN LOGIN
  s: 250-SIZE 5242880
  s: 250-8BITMIME
  s: 250-PIPELINING
  s: 250-SMTPUTF8
  s: 250 ENHANCEDSTATUSCODES
`

function start(
  t: TestContext,
  limits: Partial<SmtpLimits> = {},
  handler: Partial<SmtpHandler> = authenticating,
): Promise<CollectingServer> {
  return startSmtpServer(t, {
    tls: { mode: 'implicit', context: () => ca.leaf },
    limits: { messageBytes: 5 * 1024 * 1024, ...limits },
    handler,
  })
}

/** A client in the middle of AUTH, which `authenticate` has been asked about and has not answered. */
async function openAuthenticating(t: TestContext, limits: Partial<SmtpLimits> = {}) {
  const asked = Promise.withResolvers<void>()
  const verdict = Promise.withResolvers<Reply | undefined>()
  const server = await start(t, limits, {
    authenticate: () => {
      asked.resolve()
      return verdict.promise
    },
  })
  const plain = connectTcp({ port: server.port, host: '127.0.0.1' })
  const socket = connectTls({ socket: plain, rejectUnauthorized: false })
  t.after(() => void socket.destroy())
  socket.on('error', () => {})
  const said: string[] = []
  socket.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  await once(socket, 'data')
  socket.write(`EHLO client.test\r\nAUTH PLAIN ${RIGHT}\r\n`)
  await asked.promise
  return { server, plain, socket, said, answer: verdict.resolve }
}

test('the transcript of the specification', async (t) => {
  const server = await start(t)
  await playTlsClient(
    server.port,
    `${OPENING}
      C: AUTH PLAIN ${RIGHT}
      S: 235 2.7.0 Authentication successful
      C: MAIL FROM:<welcome@yourdomain.com>
      S: 250 2.1.0 Ok
      C: RCPT TO:<recipient@example.com>
      S: 250 2.1.5 Ok
      C: DATA
      S: 354 Start mail input; end with <CR><LF>.<CR><LF>
      C: Subject: Welcome
      C: .
      S: 250 2.0.0 Kept
      C: RSET
      S: 250 2.0.0 Ok
      C: NOOP
      S: 250 2.0.0 Ok
      C: MAIL FROM:<welcome@yourdomain.com> SIZE=5242881
      S: 552 5.3.4 Message too big; the limit is 5 MiB
      C: QUIT
      S: 221 mx.test Posthorn Email ESMTP Service closing transmission channel
      S: (close)
    `,
  )
})

test('before authentication there is no mail: 503 before EHLO, 530 after it', async (t) => {
  const server = await start(t)
  const mail = 'c: MAIL FROM:<a@client.test>\nc: RCPT TO:<b@mx.test>\nc: DATA'
  const early = 's: 503 5.5.1 Say EHLO or HELO first'
  const locked = 's: 530 5.7.0 Authentication required'
  await playTlsClient(
    server.port,
    `
      s: 220 …
      ${mail}
      ${early}
      ${early}
      ${early}
      c: AUTH PLAIN ${RIGHT}
      s: 503 5.5.1 Say EHLO first
      c: NOOP
      s: 250 2.0.0 Ok
      c: HELO client.test
      s: 250 mx.test greets client.test
      ${mail}
      ${locked}
      ${locked}
      ${locked}
      c: RSET
      s: 250 2.0.0 Ok
      c: VRFY postmaster
      s: 252 …
      c: HELP
      s: 214 …
      c: MAIL nonsense
      ${locked}
      c: DATA now
      ${locked}
      c: QUIT
      s: 221 …
      s: (close)
    `,
  )
  assert.deepEqual(server.senders, [])
})

test('after so many failed authentications the next one is not looked at', async (t) => {
  let asked = 0
  const server = await start(
    t,
    { authFailures: 3 },
    {
      authenticate: async () => {
        asked += 1
        return asked === 2 ? { code: 454, enhanced: '4.7.0', text: 'Try later' } : REFUSED
      },
    },
  )
  await playTlsClient(
    server.port,
    `${OPENING}
      c: AUTH PLAIN ${WRONG}
      s: 535 5.7.8 Authentication failed
      c: AUTH LOGIN
      s: 334 …
      c: ${base64('api_token')}
      s: 334 …
      c: ${base64('guess')}
      s: 454 4.7.0 Try later
      c: AUTH PLAIN ${WRONG}
      s: 535 5.7.8 Authentication failed
      c: NOOP
      s: 250 …
      c: AUTH PLAIN ${RIGHT}
      s: 421 4.7.0 Too many failed authentications
      s: (close)
    `,
  )
  assert.equal(asked, 3)
})

test('a 421 of the handler closes the connection', async (t) => {
  const server = await start(
    t,
    {},
    { authenticate: async () => ({ code: 421, enhanced: '4.7.0', text: 'Enough for today' }) },
  )
  await playTlsClient(
    server.port,
    `${OPENING}
      c: AUTH PLAIN ${WRONG}
      s: 421 4.7.0 Enough for today
      s: (close)
    `,
  )
})

test('a last reply of the handler closes the connection, whatever its code', async (t) => {
  const last = { code: 535, enhanced: '5.7.8', text: 'Gone', last: true } as const
  for (const [refusing, dialogue] of [
    [{ mail: () => last }, 's: 535 5.7.8 Gone'],
    [{ rcpt: () => last }, 's: 250 …\ns: 535 5.7.8 Gone'],
    [{ data: () => last }, 's: 250 …\ns: 250 …\ns: 535 5.7.8 Gone'],
    [
      { data: () => ({ write: () => {}, end: async () => last, abort: () => {} }) },
      's: 250 …\ns: 250 …\ns: 354 …\nc: .\ns: 535 5.7.8 Gone',
    ],
  ] as const) {
    const server = await start(t, {}, { ...authenticating, ...refusing })
    await playTlsClient(
      server.port,
      `${OPENING}
        c: AUTH PLAIN ${RIGHT}
        s: 235 …
        c: MAIL FROM:<a@client.test>
        c: RCPT TO:<b@mx.test>
        c: DATA
        ${dialogue}
        s: (close)
      `,
    )
  }
})

test('each line of an AUTH exchange has its own time, whatever the idle time is', async (t) => {
  const server = await start(t, { authMs: 100, idleMs: 10_000 })
  for (const begun of ['c: AUTH PLAIN', `c: AUTH LOGIN\ns: 334 …\nc: ${base64('api_token')}`]) {
    await playTlsClient(
      server.port,
      `${OPENING}
        ${begun}
        s: 334 …
        s: 421 4.4.2 Timeout, closing connection
        s: (close)
      `,
    )
  }
  const patient = await start(t, { authMs: 10_000, idleMs: 100 })
  await playTlsClient(
    patient.port,
    `${OPENING}
      c: AUTH PLAIN
      s: 334 …
      ${'s: (quiet)\n'.repeat(6)}
      c: ${RIGHT}
      s: 235 …
      s: 421 4.4.2 …
      s: (close)
    `,
  )
})

test('a verdict may take longer than the idle time', async (t) => {
  const { socket, said, answer } = await openAuthenticating(t, { idleMs: 50, authMs: 50 })
  await sleep(200)
  assert.equal(said.join('').match(/^(?:421|235)/m), null)
  answer(undefined)
  await until(() => said.join('').includes('235 2.7.0 Authentication successful\r\n'))
  await once(socket, 'end')
  assert.match(said.join(''), /421 4\.4\.2 [^\n]*\n$/)
})

test('the login has one deadline from the greeting on, and no command renews it', async (t) => {
  const server = await start(t, { beforeAuthMs: 300, commandsBeforeMail: Infinity })
  const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
  t.after(() => void socket.destroy())
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const busy = setInterval(() => socket.write('NOOP\r\nEHLO client.test\r\nRSET\r\n'), 20)
  await once(socket, 'end')
  clearInterval(busy)
  assert.match(said, /\r\n421 4\.4\.2 Timeout: no login so far, closing connection\r\n$/)
})

test('who has logged in has only the idle time to keep to', async (t) => {
  const server = await start(t, { beforeAuthMs: 200 })
  await playTlsClient(
    server.port,
    `${OPENING}
      c: AUTH PLAIN ${RIGHT}
      s: 235 …
      ${'s: (quiet)\n'.repeat(12)}
      c: NOOP
      s: 250 2.0.0 Ok
    `,
  )
})

test('the time in which the handler decides about credentials is not the peer’s', async (t) => {
  const { socket, said, answer } = await openAuthenticating(t, { beforeAuthMs: 200 })
  await sleep(400)
  assert.equal(said.join('').match(/^(?:421|535)/m), null)
  answer(REFUSED)
  await once(socket, 'end')
  assert.match(said.join(''), /535 5\.7\.8 [^\n]*\n421 4\.4\.2 [^\n]*\n$/)
})

test('where all connections are taken, the oldest that has not logged in gives way', async (t) => {
  const server = await start(t, { connections: 3, giveWayMs: 0 })
  const dial = async () => {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
    t.after(() => void socket.destroy())
    socket.on('error', () => {})
    const heard = { socket, said: '' }
    socket.on('data', (chunk: Buffer) => {
      heard.said += chunk.toString()
    })
    await until(() => heard.said.startsWith('220 '))
    return heard
  }
  const known = await dial()
  known.socket.write(`EHLO client.test\r\nAUTH PLAIN ${RIGHT}\r\n`)
  await until(() => known.said.includes('\r\n235 '))
  const oldest = await dial()
  const another = await dial()
  const last = await dial()
  await until(() => oldest.socket.readableEnded)
  assert.match(oldest.said, /\r\n421 4\.7\.0 Too many connections, and no login in this one so far[^\n]*\n$/)
  for (const { socket } of [known, another, last]) {
    socket.write('NOOP\r\n')
    const [reply] = await once(socket, 'data')
    assert.match(String(reply), /^250 /)
  }
})

test('a connection that never finishes its handshake gives way too', async (t) => {
  const server = await start(t, { connections: 1, giveWayMs: 0 })
  const silent = connectTcp({ port: server.port, host: '127.0.0.1' })
  t.after(() => void silent.destroy())
  silent.on('error', () => {})
  silent.resume()
  await until(() => server.server.connections === 1)
  await playTlsClient(server.port, OPENING)
  await until(() => silent.closed)
})

test('what is sent during a verdict waits at the peer, and is obeyed after it', async (t) => {
  const { socket, said, answer } = await openAuthenticating(t, { commandsBeforeMail: Infinity })
  const commands = Buffer.from('NOOP\r\n'.repeat(100_000))
  const blocks = 20
  for (let block = 0; block < blocks; block++) socket.write(commands)
  await sleep(200)
  assert.ok(socket.writableLength > 1_000_000, 'the peer keeps what the server does not take')
  answer(REFUSED)
  socket.write('QUIT\r\n')
  await once(socket, 'end')
  const text = said.join('')
  assert.match(text, /535 5\.7\.8 [^\n]*\n250 2\.0\.0 Ok\r\n/)
  assert.equal(text.match(/^250 2\.0\.0 Ok\r$/gm)?.length, blocks * 100_000)
})

for (const way of ['goodbye', 'end', 'reset'] as const) {
  test(`a peer that leaves during a verdict is noticed at once: ${way}`, async (t) => {
    const { server, plain, socket, answer } = await openAuthenticating(t)
    if (way === 'goodbye') socket.end()
    else if (way === 'end') plain.destroy()
    else plain.resetAndDestroy()
    await until(() => server.server.connections === 0)
    assert.equal(server.closed, 1)
    answer(undefined)
    await sleep(10)
    assert.deepEqual(server.errors, [])
  })
}
