import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls'
import { type CertificateAuthority, openCertificateAuthority } from '#net/certificate-authority.ts'
import { play, playClient, playTlsClient } from '#test/smtp-dialogue.ts'
import { startSmtpServer, until } from '#test/smtp-server.ts'
import type { SmtpHandler } from './handler.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-smtp-'))
after(() => rm(folder, { recursive: true }))
const ca: CertificateAuthority = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const authenticating: Partial<SmtpHandler> = {
  authenticate: async (_, username, password) =>
    username === 'api_token' && password === 'secret'
      ? undefined
      : { code: 535, enhanced: '5.7.8', text: 'Authentication credentials invalid' },
}

const EHLO = `
  c: EHLO client.test
  s: 250-mx.test greets client.test
`
const EXTENSIONS = `
  s: 250-SIZE 26214400
  s: 250-8BITMIME
  s: 250-PIPELINING
  s: 250-SMTPUTF8
`

/** Speaks SMTP in clear up to STARTTLS and goes over to TLS. */
async function startTls(port: number): Promise<TLSSocket> {
  const plain = connectTcp({ port, host: '127.0.0.1' })
  await play(
    plain,
    'c',
    `
      s: 220 mx.test Posthorn Email ESMTP Service ready
      ${EHLO}${EXTENSIONS}
      s: 250-STARTTLS
      s: 250 ENHANCEDSTATUSCODES
      c: MAIL FROM:<clear@client.test>
      s: 250 2.1.0 Ok
      c: STARTTLS
      s: 220 2.0.0 Ready to start TLS
    `,
  )
  plain.removeAllListeners()
  const secure = connectTls({ socket: plain, ca: ca.certificate, servername: 'localhost' })
  await new Promise((resolve, reject) => {
    secure.once('secureConnect', resolve)
    secure.once('error', reject)
  })
  return secure
}

test('RFC 3207: STARTTLS is offered once, and the session starts anew over TLS', async (t) => {
  let seen: unknown
  const server = await startSmtpServer(t, {
    tls: { mode: 'starttls', context: () => ca.leaf },
    handler: {
      mail: (session, from) => {
        seen = { from, tls: session.tls?.protocol, helo: session.helo }
        return undefined
      },
    },
  })
  const secure = await startTls(server.port)
  await play(
    secure,
    'c',
    `
      c: RCPT TO:<b@mx.test>
      s: 503 5.5.1 Say MAIL first
      c: MAIL FROM:<a@client.test>
      s: 503 5.5.1 Say EHLO or HELO first
      ${EHLO}${EXTENSIONS}
      s: 250 ENHANCEDSTATUSCODES
      c: STARTTLS
      s: 503 5.5.1 TLS is active already
      c: MAIL FROM:<a@client.test>
      s: 250 2.1.0 Ok
      c: QUIT
      s: 221 …
      s: (close)
    `,
  )
  secure.destroy()
  assert.deepEqual(seen, { from: 'a@client.test', tls: 'TLSv1.3', helo: 'client.test' })
  assert.deepEqual(server.errors, [])
})

test('CVE-2011-0411: commands pipelined behind STARTTLS are neither obeyed nor kept', async (t) => {
  const server = await startSmtpServer(t, { tls: { mode: 'starttls', context: () => ca.leaf } })
  for (const rest of ['c: MAIL FROM:<injected@client.test>', 'c: MAIL FROM:\\', 'c: \\x16\\x03\\x01\\']) {
    await playClient(
      server.port,
      `
        s: 220 …
        c: HELO client.test
        s: 250 mx.test greets client.test
        c: STARTTLS
        ${rest}
        s: 554 5.5.1 Protocol error: nothing may follow STARTTLS before the handshake
        s: (close)
      `,
    )
  }
  assert.deepEqual(server.senders, [])
})

test('what comes in clear after the 220 to STARTTLS breaks the handshake', async (t) => {
  const server = await startSmtpServer(t, { tls: { mode: 'starttls', context: () => ca.leaf } })
  await playClient(
    server.port,
    `
      s: 220 …
      c: STARTTLS
      s: 220 2.0.0 Ready to start TLS
      c: EHLO client.test
      c: MAIL FROM:<injected@client.test>
    `,
  )
  const secure = await startTls(server.port)
  secure.destroy()
  assert.deepEqual(server.senders, ['clear@client.test'])
})

test('implicit TLS: the greeting comes over TLS, and STARTTLS is not offered', async (t) => {
  const context = createSecureContext(ca.leaf)
  const server = await startSmtpServer(t, { tls: { mode: 'implicit', context: () => context } })
  await playTlsClient(
    server.port,
    `
      s: 220 mx.test Posthorn Email ESMTP Service ready
      ${EHLO}${EXTENSIONS}
      s: 250 ENHANCEDSTATUSCODES
      c: STARTTLS
      s: 503 5.5.1 TLS is active already
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<b@mx.test>
      c: DATA
      s: 250 …
      s: 250 …
      s: 354 …
      c: hello
      c: .
      c: QUIT
      s: 250 2.0.0 Kept
      s: 221 …
      s: (close)
    `,
  )
  assert.equal(server.messages[0]?.content.toString(), 'hello\r\n')
})

test('the certificate is asked for at each handshake', async (t) => {
  let asked = 0
  const server = await startSmtpServer(t, {
    tls: {
      mode: 'implicit',
      context: () => {
        asked += 1
        if (asked === 2) throw new Error('unreadable key')
        return ca.leaf
      },
    },
  })
  await playTlsClient(server.port, 's: 220 mx.test Posthorn Email ESMTP Service ready')
  await assert.rejects(playTlsClient(server.port, 's: 220 mx.test Posthorn Email ESMTP Service ready'))
  await playTlsClient(server.port, 's: 220 mx.test Posthorn Email ESMTP Service ready')
  assert.equal(server.errors.length, 1)
})

test('a peer that does not shake hands is let go', async (t) => {
  const server = await startSmtpServer(t, {
    tls: { mode: 'implicit', context: () => ca.leaf },
    limits: { handshakeMs: 100 },
  })
  await playClient(server.port, 'c: EHLO client.test\ns: (close)').catch(() => {})
  await playClient(server.port, 's: (close)')
  await until(() => server.server.connections === 0)
  assert.equal(server.closed, 0, 'there was no session')
})

test('RFC 4954: AUTH is offered over TLS only, and MAIL wants it', async (t) => {
  const server = await startSmtpServer(t, {
    tls: { mode: 'starttls', context: () => ca.leaf },
    handler: authenticating,
  })
  await playClient(
    server.port,
    `
      s: 220 …
      ${EHLO}${EXTENSIONS}
      s: 250-STARTTLS
      s: 250 ENHANCEDSTATUSCODES
      c: AUTH PLAIN ${base64('\0api_token\0secret')}
      s: 530 5.7.0 Authentication is offered over TLS only
      c: MAIL FROM:<a@client.test>
      s: 530 5.7.0 Authentication required
    `,
  )
})

test('RFC 4954: PLAIN and LOGIN, at once or step by step', async (t) => {
  const server = await startSmtpServer(t, {
    tls: { mode: 'implicit', context: () => ca.leaf },
    handler: authenticating,
  })
  const hello = `
    s: 220 …
    ${EHLO}
    s: 250-AUTH PLAIN LOGIN
    ${EXTENSIONS}
    s: 250 ENHANCEDSTATUSCODES
  `
  const exchanges = [
    `c: AUTH PLAIN ${base64('\0api_token\0secret')}`,
    `c: AUTH PLAIN
     s: 334\\x20
     c: ${base64('\0api_token\0secret')}`,
    `c: AUTH LOGIN
     s: 334 ${base64('Username:')}
     c: ${base64('api_token')}
     s: 334 ${base64('Password:')}
     c: ${base64('secret')}`,
    `c: AUTH LOGIN ${base64('api_token')}
     s: 334 ${base64('Password:')}
     c: ${base64('secret')}`,
  ]
  for (const exchange of exchanges) {
    await playTlsClient(
      server.port,
      `${hello}
        c: AUTH PLAIN
        s: 334\\x20
        c: *
        s: 501 5.7.0 Authentication cancelled
        c: AUTH PLAIN ${base64('\0api_token\0wrong')}
        s: 535 5.7.8 Authentication credentials invalid
        c: AUTH PLAIN ${base64('\0api_token\0se\0cret')}
        s: 501 5.5.2 Malformed authentication response
        c: AUTH CRAM-MD5
        s: 504 5.5.4 Mechanism is not supported
        c: MAIL FROM:<a@client.test>
        s: 530 5.7.0 Authentication required
        ${exchange}
        s: 235 2.7.0 Authentication successful
        c: AUTH PLAIN ${base64('\0api_token\0secret')}
        s: 503 5.5.1 Authenticated already
        c: MAIL FROM:<a@client.test> AUTH=<>
        s: 250 2.1.0 Ok
      `,
    )
  }
})

test('RFC 4954 §4: a response of 12,288 octets is read, a longer one refused', async (t) => {
  const server = await startSmtpServer(t, {
    tls: { mode: 'implicit', context: () => ca.leaf },
    handler: authenticating,
    limits: { errors: 3 },
  })
  const fits = base64(`\0api_token\0${'x'.repeat(9190)}`)
  await playTlsClient(
    server.port,
    `
      s: 220 …
      c: EHLO client.test
      s: 250-…
      s: 250-…
      s: 250-…
      s: 250-…
      s: 250-…
      s: 250-…
      s: 250 …
      c: AUTH PLAIN ${fits}
      s: 535 …
      c: AUTH PLAIN
      s: 334\\x20
      c: ${'A'.repeat(12_288)}
      s: 500 5.5.6 Authentication exchange line is too long
      c: ${base64('\0api_token\0secret')}
      s: 500 5.5.1 Command not recognized
      c: AUTH LOGIN !
      s: 421 4.7.0 Too many errors, closing connection
      s: (close)
    `,
  )
})
