import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { playServer } from '#test/smtp-dialogue.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { type ConnectOptions, connectSmtp } from './client.ts'
import type { SmtpHandler } from './handler.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-smtp-'))
after(() => rm(folder, { recursive: true }))
const ca = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

const LOGIN = { username: 'relay@posthorn.test', password: 'sécret of the relay' }
const VERIFIED = { tls: { verify: { ca: ca.certificate } } } as const
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const PLAIN = base64(`\0${LOGIN.username}\0${LOGIN.password}`)

const authenticating: Partial<SmtpHandler> = {
  authenticate: async (_, username, password) =>
    username === LOGIN.username && password === LOGIN.password
      ? undefined
      : { code: 535, enhanced: '5.7.8', text: 'Authentication credentials invalid' },
}

/** Connects, and keeps what was said. */
async function connectTo({ port }: { readonly port: number }, options: Partial<ConnectOptions> = {}) {
  const dialogue: string[] = []
  const connection = await connectSmtp({
    host: 'localhost',
    address: '127.0.0.1',
    port,
    ehloName: 'client.test',
    tls: 'none',
    login: LOGIN,
    record: (line) => dialogue.push(line),
    ...options,
  })
  return { connection, dialogue, clients: dialogue.filter((line) => line.startsWith('c: ')) }
}

function offering(...lines: readonly string[]): string {
  return `s: 220 mx.test\nc: EHLO client.test\n${lines.map((line) => `s: ${line}\n`).join('')}`
}

function sayNothingOf(secrets: readonly string[], told: unknown): void {
  const text = JSON.stringify(told)
  for (const secret of secrets) assert.ok(!text.includes(secret), text)
}

const SECRETS = [LOGIN.password, PLAIN, PLAIN.slice(0, 20), base64(LOGIN.password), base64(LOGIN.username)]

for (const mode of ['implicit', 'starttls'] as const) {
  test(`our client logs in to our server and sends: ${mode}`, async (t) => {
    const server = await startSmtpServer(t, {
      tls: { mode, context: () => ca.leaf },
      handler: authenticating,
    })
    const options = { ...VERIFIED, implicitTls: mode === 'implicit' }
    const { connection, dialogue } = await connectTo(server, options)
    assert.ok(connection.ok, JSON.stringify(connection))
    assert.equal(connection.tls?.verified, true)
    const content = Buffer.from('Subject: x\r\n\r\nhello\r\n')
    const result = await connection.transact({
      mailFrom: 'a@client.test',
      rcptTo: 'b@mx.test',
      content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
    })
    assert.equal(result.kind, 'accepted')
    await connection.quit()
    assert.ok(server.messages[0]?.content.equals(content))
    assert.ok(dialogue.includes('c: AUTH PLAIN (credentials)'))
    sayNothingOf(SECRETS, dialogue)

    const wrong = await connectTo(server, { ...options, login: { ...LOGIN, password: 'guess' } })
    assert.deepEqual(wrong.connection, {
      ok: false,
      kind: 'refused',
      phase: 'auth',
      reply: { code: 535, enhanced: '5.7.8', text: 'Authentication credentials invalid' },
      detail: '535 5.7.8 Authentication credentials invalid',
    })
  })
}

test('implicit TLS without a login; a certificate that does not hold, or none', async (t) => {
  const server = await startSmtpServer(t, { tls: { mode: 'implicit', context: () => ca.leaf } })
  const { port } = server
  const open = async (options: Partial<ConnectOptions>) => {
    const base = { host: 'localhost', address: '127.0.0.1', port, ehloName: 'client.test' }
    return connectSmtp({ ...base, implicitTls: true, ...VERIFIED, ...options })
  }
  const verified = await open({})
  assert.ok(verified.ok && verified.tls?.verified && !verified.extensions.has('STARTTLS'))
  await verified.quit()
  for (const options of [{ host: 'other.test' }, { tls: { verify: {} } }]) {
    const failure = await open(options)
    assert.ok(!failure.ok && failure.kind === 'tls-failed' && !failure.retryInClear)
  }
  await using clear = await playServer('s: 220 mx.test')
  const failure = await open({ port: clear.port })
  assert.ok(!failure.ok && failure.kind === 'tls-failed', JSON.stringify(failure))
  await using silent = await playServer('c: (bytes)')
  const timeout = await open({ port: silent.port, timeouts: { handshakeMs: 50 } })
  assert.ok(!timeout.ok && timeout.kind === 'tls-failed' && timeout.error.reason === 'timeout')
  await using waiting = await playServer('c: (bytes)')
  const aborted = await open({ port: waiting.port, signal: AbortSignal.timeout(30) })
  assert.ok(!aborted.ok && aborted.kind === 'lost' && aborted.error.reason === 'aborted')
})

test('a host that is an address is verified as that address', async (t) => {
  const server = await startSmtpServer(t, { tls: { mode: 'implicit', context: () => ca.leaf } })
  const base = { address: '127.0.0.1', port: server.port, ehloName: 'client.test', implicitTls: true }
  const right = await connectSmtp({ ...base, ...VERIFIED, host: '127.0.0.1' })
  assert.ok(right.ok && right.tls?.verified, JSON.stringify(right))
  await right.quit()
  const other = await connectSmtp({ ...base, ...VERIFIED, host: '127.0.0.2' })
  assert.ok(!other.ok && other.kind === 'tls-failed')
})

test('credentials go to verified peers alone, or in clear where the caller says so', async () => {
  const never = { port: 1 }
  await assert.rejects(connectTo(never, { tls: 'opportunistic' }), /verified/)
  for (const tls of ['none', 'opportunistic'] as const)
    await assert.rejects(connectTo(never, { tls, implicitTls: true }), /verified/)
  await assert.rejects(connectTo(never, { login: { ...LOGIN, password: 'a\0b' } }), /NUL/)

  await using stripped = await playServer(`${offering('250-mx.test', '250 AUTH PLAIN')}c: QUIT`)
  const { connection, clients } = await connectTo(stripped, VERIFIED)
  assert.ok(!connection.ok && connection.kind === 'tls-failed', 'STARTTLS is not offered')
  assert.deepEqual(clients, ['c: EHLO client.test', 'c: QUIT'])
  await stripped.done

  await using local = await playServer(
    `${offering('250-mx.test', '250 AUTH PLAIN')}c: AUTH PLAIN ${PLAIN}\ns: 235 2.7.0 in`,
  )
  assert.ok((await connectTo(local)).connection.ok)
  await local.done
})

test('RFC 4954: PLAIN before LOGIN, and what is offered alone', async () => {
  await using both = await playServer(
    `${offering('250-mx.test', '250 AUTH CRAM-MD5 LOGIN PLAIN')}c: AUTH PLAIN ${PLAIN}\ns: 235 in`,
  )
  assert.ok((await connectTo(both)).connection.ok)
  await using older = await playServer(`${offering('250-mx.test', '250 AUTH=login')}
    c: AUTH LOGIN
    s: 334 VXNlcm5hbWU6
    c: ${base64(LOGIN.username)}
    s: 334 UGFzc3dvcmQ6
    c: ${base64(LOGIN.password)}
    s: 235 2.7.0 in
  `)
  const { connection, dialogue } = await connectTo(older)
  assert.ok(connection.ok)
  assert.deepEqual(dialogue.slice(-6), [
    'c: AUTH LOGIN',
    's: 334 VXNlcm5hbWU6',
    'c: (credentials)',
    's: 334 UGFzc3dvcmQ6',
    'c: (credentials)',
    's: 235 2.7.0 in',
  ])
})

test('RFC 4954 §4: a response too long for the command line waits for the 334', async () => {
  const login = { username: 'key', password: 'x'.repeat(400) }
  const response = base64(`\0${login.username}\0${login.password}`)
  await using server = await playServer(`${offering('250-mx.test', '250 AUTH PLAIN')}
    c: AUTH PLAIN
    c: (quiet)
    s: 334\\x20
    c: ${response}
    s: 235 in
  `)
  const { connection, dialogue } = await connectTo(server, { login })
  assert.ok(connection.ok)
  sayNothingOf([response], dialogue)
})

test('no login that we have, whatever was offered before TLS', async (t) => {
  for (const lines of [['250 mx.test'], ['250-mx.test', '250 AUTH XOAUTH2 GSSAPI'], ['250-x', '250 AUTH']]) {
    await using server = await playServer(`${offering(...lines)}c: QUIT`)
    const { connection } = await connectTo(server)
    assert.ok(!connection.ok && connection.kind === 'refused' && connection.phase === 'auth')
    assert.deepEqual([connection.reply.code, connection.reply.enhanced], [504, '5.7.4'])
    assert.match(connection.detail, /offers no login/)
    await server.done
  }
  const plain = await startSmtpServer(t, { tls: { mode: 'starttls', context: () => ca.leaf } })
  const { connection } = await connectTo(plain, VERIFIED)
  assert.ok(!connection.ok && connection.phase === 'auth')
})

test('a refusal at any step is the reply, and ends the session', async () => {
  const toLogin = `${offering('250-mx.test', '250 AUTH LOGIN')}c: AUTH LOGIN\n`
  const username = `s: 334 VXNlcm5hbWU6\nc: ${base64(LOGIN.username)}\n`
  const password = `s: 334 UGFzc3dvcmQ6\nc: ${base64(LOGIN.password)}\n`
  for (const script of [toLogin, toLogin + username, toLogin + username + password]) {
    for (const code of [421, 432, 454, 504, 535]) {
      await using server = await playServer(`${script}s: ${code} 5.7.8 no\nc: QUIT\nc: (close)`)
      const { connection } = await connectTo(server)
      assert.ok(!connection.ok && connection.kind === 'refused' && connection.phase === 'auth')
      assert.equal(connection.reply.code, code)
      await server.done
    }
  }
})

test('what is no AUTH exchange is a protocol failure; silence and a disconnect are what they are', async () => {
  const toPlain = `${offering('250-mx.test', '250 AUTH PLAIN')}c: AUTH PLAIN ${PLAIN}\n`
  const toLogin = `${offering('250-mx.test', '250 AUTH LOGIN')}c: AUTH LOGIN\n`
  const ends = {
    [`${toPlain}s: 334 more`]: 'protocol',
    [`${toLogin}s: 235 already`]: 'protocol',
    [`${toLogin}s: 354 go`]: 'protocol',
    [`${toPlain}s: hello`]: 'protocol',
    [`${toPlain}s: (close)`]: 'closed',
    [`${toPlain}s: (reset)`]: 'network',
    [toPlain]: 'timeout',
  }
  for (const [script, reason] of Object.entries(ends)) {
    await using server = await playServer(`${script}\nc: (close)`)
    const { connection } = await connectTo(server, { timeouts: { helloMs: 100 } })
    assert.ok(!connection.ok && connection.kind === 'lost' && connection.phase === 'auth', script)
    assert.equal(connection.error.reason, reason)
    sayNothingOf(SECRETS, connection)
  }
})

test('credentials that a host repeats reach nobody', async () => {
  const words = [`"AUTH PLAIN ${PLAIN}"`, PLAIN.slice(0, 24), base64(LOGIN.password), LOGIN.password]
  const encoded = words.map((word) => Buffer.from(word).toString('latin1').replaceAll('\\', '\\\\'))
  await using server = await playServer(`${offering('250-mx.test', '250 AUTH PLAIN')}
    c: AUTH PLAIN ${PLAIN}
    ${encoded.map((word) => `s: 500-5.5.1 Command unrecognized: ${word}`).join('\n')}
    s: 500 5.5.1 for ${LOGIN.username}
  `)
  const { connection, dialogue } = await connectTo(server)
  assert.ok(!connection.ok && connection.phase === 'auth')
  sayNothingOf(SECRETS, [connection, dialogue])
  assert.match(connection.detail, /Command unrecognized: "AUTH PLAIN \(credentials\)".* for relay@posthorn/)
})

async function startPackage(t: TestContext, options: SMTPServerOptions) {
  const senders: { readonly user: unknown; readonly requireTls: unknown }[] = []
  const peer = new SMTPServer({
    disableReverseLookup: true,
    key: ca.leaf.key,
    cert: ca.leaf.cert,
    onAuth: ({ username, password }, _, done) =>
      username === LOGIN.username && password === LOGIN.password
        ? done(null, { user: username })
        : done(new Error('Invalid username or password')),
    onMailFrom: ({ args }, session, done) => {
      const requireTls: unknown = args === false ? undefined : Reflect.get(args, 'REQUIRETLS')
      senders.push({ user: session.user, requireTls })
      done()
    },
    ...options,
  })
  peer.on('error', () => {})
  await new Promise<void>((resolve) => {
    peer.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => new Promise<void>((resolve) => peer.close(() => resolve())))
  const address = peer.server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { port: address.port, senders }
}

const PEERS: { name: string; client: Partial<ConnectOptions>; peer: SMTPServerOptions }[] = [
  {
    name: 'PLAIN over implicit TLS',
    client: { ...VERIFIED, implicitTls: true },
    peer: { secure: true, authMethods: ['PLAIN'] },
  },
  {
    name: 'LOGIN over implicit TLS',
    client: { ...VERIFIED, implicitTls: true },
    peer: { secure: true, authMethods: ['LOGIN'] },
  },
  { name: 'PLAIN over STARTTLS', client: VERIFIED, peer: {} },
  { name: 'LOGIN over STARTTLS', client: VERIFIED, peer: { authMethods: ['LOGIN'] } },
  {
    name: 'PLAIN in clear',
    client: { tls: 'none' },
    peer: { hideSTARTTLS: true, allowInsecureAuth: true },
  },
]

for (const { name, client, peer } of PEERS) {
  test(`the package smtp-server takes our login: ${name}`, async (t) => {
    const { port, senders } = await startPackage(t, { ...peer, hideREQUIRETLS: false })
    const { connection, dialogue } = await connectTo({ port }, client)
    assert.ok(connection.ok, JSON.stringify(connection))
    const content = { dotStuffed: Buffer.from('x\r\n.\r\n'), size: 3, eightBit: false, smtpUtf8: false }
    const envelope = { mailFrom: 'a@client.test', rcptTo: 'b@mx.test', content }
    assert.equal((await connection.transact(envelope)).kind, 'accepted')
    // RFC 8689 §2: REQUIRETLS is there over TLS, and never in clear.
    const required = await connection.transact({ ...envelope, requireTls: true })
    if (connection.tls) assert.equal(required.kind, 'accepted', JSON.stringify(required))
    else assert.ok(required.kind === 'refused' && required.reply.enhanced === '5.7.30')
    await connection.quit()
    const user = LOGIN.username
    assert.deepEqual(senders[0], { user, requireTls: undefined })
    if (connection.tls) assert.deepEqual(senders[1], { user, requireTls: true })
    sayNothingOf(SECRETS, dialogue)
    const wrong = await connectTo({ port }, { ...client, login: { ...LOGIN, password: 'no' } })
    assert.ok(!wrong.connection.ok && wrong.connection.kind === 'refused')
    assert.deepEqual([wrong.connection.phase, wrong.connection.reply.code], ['auth', 535])
  })
}

test('RFC 8689 §4.2.1: a message that requires TLS goes nowhere without REQUIRETLS', async (t) => {
  const server = await startSmtpServer(t, { tls: { mode: 'starttls', context: () => ca.leaf } })
  const content = { dotStuffed: Buffer.from('x\r\n.\r\n'), size: 3, eightBit: false, smtpUtf8: false }
  const wish = { mailFrom: '', rcptTo: 'b@mx.test', content, requireTls: true }
  await using clear = await playServer(`${offering('250-mx.test', '250 REQUIRETLS')}c: (quiet)`)
  const base = { host: 'localhost', address: '127.0.0.1', ehloName: 'client.test' }
  for (const options of [
    { ...base, ...VERIFIED, port: server.port },
    { ...base, tls: 'none', port: clear.port } as const,
  ]) {
    const connection = await connectSmtp(options)
    assert.ok(connection.ok)
    const result = await connection.transact(wish)
    assert.ok(result.kind === 'refused' && result.phase === 'mail' && result.reply.enhanced === '5.7.30')
    assert.ok(connection.usable)
    if (connection.tls) await connection.quit()
  }
  await clear.done
  assert.deepEqual(server.senders, [])
})
