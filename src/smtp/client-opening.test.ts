import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { playServer } from '#test/smtp-dialogue.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { type ConnectOptions, connectSmtp } from './client.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-smtp-'))
after(() => rm(folder, { recursive: true }))
const ca = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

const OFFERING = `
  s: 220 mx.test
  c: EHLO client.test
  s: 250-mx.test
  s: 250 STARTTLS
`

function connectTo(server: { readonly port: number }, options: Partial<ConnectOptions> = {}) {
  const { port } = server
  return connectSmtp({
    host: 'localhost',
    address: '127.0.0.1',
    port,
    ehloName: 'client.test',
    tls: 'none',
    ...options,
  })
}

test('a greeting that refuses is a refusal, and is answered by QUIT', async () => {
  for (const code of [421, 450, 521, 554]) {
    await using server = await playServer(`
      s: ${code}-5.3.2 go
      s: ${code} 5.3.2 away
      c: QUIT
      c: (close)
    `)
    const failure = await connectTo(server)
    assert.deepEqual(failure, {
      ok: false,
      kind: 'refused',
      phase: 'greeting',
      reply: { code, enhanced: '5.3.2', text: 'go\naway' },
      detail: `${code} 5.3.2 go 5.3.2 away`,
    })
    await server.done
  }
})

test('RFC 5321 §3.2: HELO where EHLO is not known', async () => {
  await using server = await playServer(`
    s: 220-old
    s: 220 host
    c: EHLO client.test
    s: 502 5.5.1 what?
    c: HELO client.test
    s: 250-old host
    s: 250 PIPELINING
    c: QUIT
    s: 221 bye
  `)
  const connection = await connectTo(server, { tls: 'opportunistic' })
  assert.ok(connection.ok)
  assert.equal(connection.extensions.size, 0)
  await connection.quit()
  await server.done
  await using busy = await playServer('s: 220 x\nc: EHLO client.test\ns: 451 later\nc: QUIT')
  const failure = await connectTo(busy)
  assert.ok(!failure.ok && failure.kind === 'refused' && failure.phase === 'hello')
})

test('no greeting in time, no greeting at all, and something else than SMTP', async () => {
  await using silent = await playServer('c: (close)')
  const timeout = await connectTo(silent, { timeouts: { greetingMs: 50 } })
  assert.ok(
    !timeout.ok &&
      timeout.kind === 'lost' &&
      timeout.phase === 'greeting' &&
      timeout.error.reason === 'timeout',
  )
  await using closing = await playServer('s: (close)')
  const closed = await connectTo(closing)
  assert.ok(!closed.ok && closed.kind === 'lost' && closed.phase === 'greeting')
  await using foreign = await playServer('s: HTTP/1.1 400 Bad Request')
  const protocol = await connectTo(foreign)
  assert.ok(!protocol.ok && protocol.kind === 'lost' && protocol.error.reason === 'protocol')
  await using lost = await playServer('s: 220 x\nc: EHLO client.test\ns: (reset)')
  const hello = await connectTo(lost)
  assert.ok(!hello.ok && hello.kind === 'lost' && hello.phase === 'hello')
})

test('nobody listens', async () => {
  const listener = createServer()
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  const address = listener.address()
  assert.ok(typeof address === 'object' && address !== null)
  await new Promise((resolve) => {
    listener.close(resolve)
  })
  const failure = await connectTo(address)
  assert.ok(!failure.ok && failure.kind === 'lost' && failure.phase === 'connect')
  assert.equal(failure.error.reason, 'network')
  assert.match(failure.detail, /ECONNREFUSED/)
})

test('the caller’s signal ends the attempt to connect', async () => {
  await using server = await playServer('c: (close)')
  const running = connectTo(server, { signal: AbortSignal.timeout(30) })
  const failure = await running
  assert.ok(!failure.ok && failure.kind === 'lost' && failure.error.reason === 'aborted')
  const never = await connectTo(server, { signal: AbortSignal.abort() })
  assert.ok(
    !never.ok && never.kind === 'lost' && never.error.reason === 'aborted' && never.phase === 'connect',
  )
})

test('a source address', async (t) => {
  let from = ''
  const server = await startSmtpServer(t, {
    handler: {
      connect: ({ remoteAddress }) => {
        from = remoteAddress
        return undefined
      },
    },
  })
  const connection = await connectTo(server, { localAddress: '127.0.0.2' })
  assert.ok(connection.ok)
  assert.equal(from, '127.0.0.2')
  await connection.quit()
})

test('RFC 7435: opportunistic TLS takes any certificate, and says EHLO again', async (t) => {
  const server = await startSmtpServer(t, { tls: { mode: 'starttls', context: () => ca.leaf } })
  const connection = await connectTo(server, { tls: 'opportunistic', host: 'some.other.test.' })
  assert.ok(connection.ok)
  assert.equal(connection.tls?.protocol, 'TLSv1.3')
  assert.equal(connection.tls.verified, false)
  assert.equal(connection.extensions.has('STARTTLS'), false)
  const content = Buffer.from('x'.repeat(200_000))
  const result = await connection.transact({
    mailFrom: '',
    rcptTo: 'b@mx.test',
    content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
  })
  assert.equal(result.kind, 'accepted')
  assert.equal(server.messages[0]?.content.length, 200_002)
  await connection.quit()
})

test('verified TLS: a certificate that holds, or no connection', async (t) => {
  const server = await startSmtpServer(t, { tls: { mode: 'starttls', context: () => ca.leaf } })
  const verified = await connectTo(server, { tls: { verify: { ca: ca.certificate } } })
  assert.ok(verified.ok && verified.tls?.verified)
  await verified.quit()
  const wrongName = await connectTo(server, { tls: { verify: { ca: ca.certificate } }, host: 'other.test' })
  assert.ok(!wrongName.ok && wrongName.kind === 'tls-failed' && !wrongName.retryInClear)
  assert.equal(wrongName.error.reason, 'tls')
  const unknown = await connectTo(server, { tls: { verify: {} } })
  assert.ok(!unknown.ok && unknown.kind === 'tls-failed')
  await using plain = await playServer('s: 220 x\nc: EHLO client.test\ns: 250 x\nc: QUIT')
  const stripped = await connectTo(plain, { tls: { verify: {} } })
  assert.ok(!stripped.ok && stripped.kind === 'tls-failed' && !stripped.retryInClear, 'not offered')
})

test('a handshake that fails says that clear text may do, where TLS was opportunistic', async () => {
  const failing = { rubbish: 's: no TLS', closed: 's: (close)', reset: 's: (reset)', silent: '' }
  for (const [name, end] of Object.entries(failing)) {
    await using server = await playServer(`${OFFERING}\nc: STARTTLS\ns: 220 go\nc: (bytes)\n${end}`)
    const failure = await connectTo(server, { tls: 'opportunistic', timeouts: { handshakeMs: 100 } })
    assert.ok(!failure.ok && failure.kind === 'tls-failed', `${name}: ${JSON.stringify(failure)}`)
    assert.deepEqual([failure.phase, failure.retryInClear], ['tls', true])
  }
})

test('STARTTLS refused: opportunistic goes on in clear, verified does not', async () => {
  const script = `${OFFERING}\nc: STARTTLS\ns: 454 4.7.0 not now\nc: QUIT`
  await using server = await playServer(script, script)
  const opportunistic = await connectTo(server, { tls: 'opportunistic', timeouts: { quitMs: 50 } })
  assert.ok(opportunistic.ok && opportunistic.tls === undefined)
  await opportunistic.quit()
  const verified = await connectTo(server, { tls: { verify: {} } })
  assert.ok(!verified.ok && verified.kind === 'refused' && verified.phase === 'starttls')
})

test('a reply injected in clear behind the 220 to STARTTLS is never taken for one over TLS', async () => {
  await using server = await playServer(
    `${OFFERING}\nc: STARTTLS\ns: 220 go\ns: 250-mx.test\ns: 250 AUTH PLAIN`,
  )
  const failure = await connectTo(server, { tls: 'opportunistic' })
  assert.ok(!failure.ok && failure.kind === 'lost' && failure.phase === 'starttls')
  assert.equal(failure.error.reason, 'protocol')
})
