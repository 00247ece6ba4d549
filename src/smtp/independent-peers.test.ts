import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import SmtpClient from 'nodemailer/lib/smtp-connection'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { type ClientTls, connectSmtp } from './client.ts'
import type { SmtpHandler } from './handler.ts'
import type { SmtpConnection } from './smtp-connection.ts'

const run = promisify(execFile)
const folder = await mkdtemp(join(tmpdir(), 'posthorn-smtp-'))
after(() => rm(folder, { recursive: true }))
const ca = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

const CONTENTS = [
  Buffer.from('Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n'),
  Buffer.from('Subject: eight bit\r\n\r\nü\r\n'),
  Buffer.from(`${'..0123456789'.repeat(6)}\r\n`.repeat(80_000)),
]
const AUTH = { user: 'api_token', pass: 'secret' }

const authenticating: SmtpHandler['authenticate'] = async (_, username, password) =>
  username === AUTH.user && password === AUTH.pass
    ? undefined
    : { code: 535, enhanced: '5.7.8', text: 'Authentication credentials invalid' }

function received(messages: readonly { readonly content: Buffer }[]): boolean[] {
  return messages.map(({ content }, index) => content.equals(CONTENTS[index] ?? Buffer.alloc(0)))
}

/** nodemailer's client: callbacks made promises. */
async function sendByNodemailer(
  port: number,
  options: { secure?: boolean; requireTLS?: boolean; auth?: typeof AUTH },
) {
  const { auth, ...rest } = options
  const client = new SmtpClient({ host: 'localhost', port, tls: { ca: ca.certificate }, ...rest })
  const failed = new Promise<never>((_, reject) => {
    client.once('error', reject)
  })
  const step = (begin: (done: (error?: Error | null) => void) => void) =>
    Promise.race([
      failed,
      new Promise<void>((resolve, reject) => {
        begin((error) => (error ? reject(error) : resolve()))
      }),
    ])
  await step((done) => client.connect(done))
  if (auth !== undefined) await step((done) => client.login(auth, done))
  for (const content of CONTENTS) {
    await step((done) =>
      client.send({ from: 'a@client.test', to: ['b@mx.test', 'c@mx.test'] }, content, done),
    )
  }
  client.quit()
}

for (const mode of ['clear', 'starttls', 'implicit'] as const) {
  test(`nodemailer's client sends to our server: ${mode}`, async (t) => {
    const server = await startSmtpServer(t, mode === 'clear' ? {} : { tls: { mode, context: () => ca.leaf } })
    await sendByNodemailer(server.port, { secure: mode === 'implicit', requireTLS: mode === 'starttls' })
    assert.deepEqual(received(server.messages), [true, true, true])
    assert.deepEqual(server.messages[0]?.to, ['b@mx.test', 'c@mx.test'])
  })
}

test("nodemailer's client authenticates to our server", async (t) => {
  const server = await startSmtpServer(t, {
    tls: { mode: 'implicit', context: () => ca.leaf },
    handler: { authenticate: authenticating },
  })
  await assert.rejects(
    sendByNodemailer(server.port, { secure: true, auth: { ...AUTH, pass: 'wrong' } }),
    /535/,
  )
})

// Not awaited: the runner takes a pause between two tests for the end of the file, and cleans up.
const python =
  spawnSync('python3', ['-c', 'import smtplib']).status === 0 ? false : 'python3 is not installed'

const PYTHON_CLIENT = `
import smtplib, ssl, sys
mode, port, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
client = smtplib.SMTP_SSL('localhost', int(port), context=context) if mode == 'implicit' else smtplib.SMTP('localhost', int(port))
if mode == 'starttls': client.starttls(context=context)
if mode != 'clear': client.login('api_token', 'secret')
for body in ('.', 'a' * 70000):
    refused = client.sendmail('a@client.test', ['b@mx.test', 'refused@mx.test'], 'Subject: x\\r\\n\\r\\n.' + body + '\\r\\n')
    assert refused == {'refused@mx.test': (550, b'5.1.1 No such mailbox')}, refused
client.verify('b@mx.test')
client.quit()
`

for (const mode of ['clear', 'starttls', 'implicit'] as const) {
  test(`Python's smtplib sends to our server: ${mode}`, { skip: python }, async (t) => {
    const server = await startSmtpServer(t, {
      ...(mode !== 'clear' && { tls: { mode, context: () => ca.leaf } }),
      handler: {
        ...(mode !== 'clear' && { authenticate: authenticating }),
        rcpt: (_, to) =>
          to.startsWith('refused') ? { code: 550, enhanced: '5.1.1', text: 'No such mailbox' } : undefined,
      },
    })
    await run('python3', ['-c', PYTHON_CLIENT, mode, String(server.port), ca.certificatePath])
    assert.deepEqual(
      server.messages.map(({ content }) => content.toString().slice(12)),
      ['\r\n..\r\n', `\r\n.${'a'.repeat(70_000)}\r\n`],
    )
  })
}

interface PeerMessage {
  readonly content: Buffer
  readonly secure: boolean
  readonly to: readonly string[]
}

async function startSmtpServerPackage(t: TestContext, options: SMTPServerOptions) {
  const messages: PeerMessage[] = []
  const peer = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    key: ca.leaf.key,
    cert: ca.leaf.cert,
    onRcptTo: ({ address }, _, done) =>
      done(
        address.startsWith('refused')
          ? Object.assign(new Error('No such mailbox'), { responseCode: 550 })
          : null,
      ),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        messages.push({ content: Buffer.concat(chunks), secure: session.secure, to })
        done()
      })
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
  return { messages, port: address.port }
}

async function connected(port: number, tls: ClientTls): Promise<SmtpConnection> {
  const connection = await connectSmtp({
    host: 'localhost',
    address: '127.0.0.1',
    port,
    ehloName: 'client.test',
    tls,
  })
  assert.ok(connection.ok, JSON.stringify(connection))
  return connection
}

const VARIANTS: { name: string; tls: ClientTls; options: SMTPServerOptions; verified?: boolean }[] = [
  { name: 'in clear', tls: 'none', options: {} },
  { name: 'without PIPELINING', tls: 'none', options: { hidePIPELINING: true } },
  { name: 'over opportunistic TLS', tls: 'opportunistic', options: {}, verified: false },
  { name: 'over verified TLS', tls: { verify: { ca: ca.certificate } }, options: {}, verified: true },
  { name: 'where STARTTLS is not offered', tls: 'opportunistic', options: { hideSTARTTLS: true } },
]

for (const { name, tls, options, verified } of VARIANTS) {
  test(`our client sends to the package smtp-server: ${name}`, async (t) => {
    const peer = await startSmtpServerPackage(t, options)
    const connection = await connected(peer.port, tls)
    assert.equal(connection.tls?.verified, verified)
    for (const content of CONTENTS) {
      const result = await connection.transact({
        mailFrom: 'a@client.test',
        rcptTo: ['refused@mx.test', 'b@mx.test'],
        content: { dotStuffed: dotStuff(content), size: content.length, eightBit: true, smtpUtf8: false },
      })
      assert.equal(result.kind, 'accepted')
      assert.ok(result.kind === 'accepted')
      assert.deepEqual(
        result.refused.map(({ rcptTo, reply }) => [rcptTo, reply.code]),
        [['refused@mx.test', 550]],
      )
      const refused = await connection.transact({
        mailFrom: '',
        rcptTo: 'refused@mx.test',
        content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
      })
      assert.ok(refused.kind === 'refused' && refused.phase === 'rcpt' && refused.reply.code === 550)
    }
    assert.ok(connection.usable)
    assert.equal(await connection.rset(), true)
    await connection.quit()
    assert.deepEqual(received(peer.messages), [true, true, true])
    assert.deepEqual(peer.messages[0]?.to, ['b@mx.test'])
    assert.equal(peer.messages[0].secure, verified !== undefined)
  })
}
