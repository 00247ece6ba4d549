import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { arrived, checkAttachment, checkSubmitted, emptyInbox } from '#test/arrived.ts'
import { type Ran, runClient, skipWithout } from '#test/client-program.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** swaks and msmtp, which verify the instance's certificate by its CA. */
const swaks = {
  skip: skipWithout(
    'swaks libnet-ssleay-perl libio-socket-ssl-perl libauthen-sasl-perl',
    'sh',
    '-c',
    'swaks --support 2>&1 | grep -q "TLS supported"',
  ),
}
const msmtp = { skip: skipWithout('msmtp', 'msmtp', '--version') }

const BYTES = randomBytes(100_000)

let instance: Instance
let folder: string

before(async () => {
  instance = await startInstance()
  folder = mkdtempSync(join(tmpdir(), 'posthorn-tools-'))
  writeFileSync(join(folder, 'bytes.bin'), BYTES)
})
after(async () => {
  await instance[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
beforeEach(() => emptyInbox(instance))

function runSwaks(mechanism: string, token: string, ...more: readonly string[]): Promise<Ran> {
  const { host, port, username } = instance.dev.submission
  const where = ['--server', host, '--port', String(port), '--ehlo', 'client.example.com']
  const tls = ['--tls-on-connect', '--tls-verify', '--tls-ca-path', instance.dev.ca]
  const login = ['--auth', mechanism, '--auth-user', username, '--auth-password', token]
  return runClient('swaks', [...where, ...tls, ...login, ...more], { folder })
}

for (const mechanism of ['PLAIN', 'LOGIN']) {
  test(`swaks: AUTH ${mechanism}, two recipients, an attachment`, swaks, async () => {
    const { status, stdout, stderr } = await runSwaks(
      mechanism,
      instance.dev.api_token,
      ...['--from', 'welcome@yourdomain.com', '--to', 'one@example.com,two@example.com'],
      ...['--header', `Subject: By ${mechanism}`, '--body', 'Thanks for signing up.\n.\n..dots'],
      ...['--attach-type', 'application/octet-stream', '--attach', `@${join(folder, 'bytes.bin')}`],
    )
    assert.equal(status, 0, stdout.slice(-2000) + stderr)
    assert.match(stdout, new RegExp(`> AUTH ${mechanism}`))
    const copies = await arrived(instance, 2)
    assert.deepEqual(
      copies.map(({ to }) => to),
      ['one@example.com', 'two@example.com'],
    )
    for (const copy of copies) {
      await checkSubmitted(instance, copy, stdout)
      assert.equal(copy.mail.from?.address, 'welcome@yourdomain.com')
      assert.deepEqual(
        copy.mail.to?.map(({ address }) => address),
        ['one@example.com', 'two@example.com'],
      )
      assert.equal(copy.mail.subject, `By ${mechanism}`)
      assert.equal(copy.mail.text?.trimEnd(), 'Thanks for signing up.\n.\n..dots')
      checkAttachment(copy, { filename: 'bytes.bin', type: 'application/octet-stream', bytes: BYTES })
    }
  })

  test(`swaks: a wrong token by AUTH ${mechanism}`, swaks, async () => {
    const { status, stdout } = await runSwaks(mechanism, 'no-such-token', '--to', 'one@example.com')
    assert.notEqual(status, 0)
    assert.match(stdout, /^<\S* +535 5\.7\.8 Authentication failed/m)
  })
}

const MSMTP_MESSAGE = `From: Orders <orders@yourdomain.com>
To: Jane Doe <jane@example.com>
Cc: manager@example.com
Bcc: archive@example.com
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Schöne Grüße.
.
Ende
`

async function runMsmtp(settings: readonly string[], token: string): Promise<Ran & { readonly log: string }> {
  const { host, port, username } = instance.dev.submission
  const config = join(folder, 'msmtprc')
  const log = join(folder, 'msmtp.log')
  const lines = [
    'account default',
    `host ${host}`,
    `port ${port}`,
    'tls on',
    'tls_starttls off',
    `tls_trust_file ${instance.dev.ca}`,
    `user ${username}`,
    `password ${token}`,
    'from orders@yourdomain.com',
    `logfile ${log}`,
    ...settings,
  ]
  // It holds a password: msmtp reads it only where nobody else can.
  writeFileSync(config, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
  rmSync(log, { force: true })
  const ran = await runClient('msmtp', ['-C', config, '-t'], { folder, input: MSMTP_MESSAGE })
  return { ...ran, log: readFileSync(log, 'utf8') }
}

for (const [mechanism, bcc] of [
  ['plain', 'on'],
  ['login', 'off'],
] as const) {
  test(`msmtp: auth ${mechanism}, remove_bcc_headers ${bcc}`, msmtp, async () => {
    const { dev } = instance
    const ran = await runMsmtp([`auth ${mechanism}`, `remove_bcc_headers ${bcc}`], dev.api_token)
    assert.equal(ran.status, 0, ran.stderr)
    const copies = await arrived(instance, 3)
    assert.deepEqual(
      copies.map(({ to }) => to),
      ['archive@example.com', 'jane@example.com', 'manager@example.com'],
    )
    for (const copy of copies) {
      await checkSubmitted(instance, copy, ran.log)
      assert.deepEqual(copy.mail.from, { address: 'orders@yourdomain.com', name: 'Orders' })
      assert.deepEqual(copy.mail.to, [{ address: 'jane@example.com', name: 'Jane Doe' }])
      assert.deepEqual(copy.mail.cc, [{ address: 'manager@example.com', name: '' }])
      assert.equal(copy.mail.subject, 'Grüße')
      assert.equal(copy.body.toString(), 'Schöne Grüße.\r\n.\r\nEnde\r\n')
      assert.doesNotMatch(copy.raw.toString('latin1'), /archive@/)
    }
  })
}

test('msmtp: a wrong token', msmtp, async () => {
  const { status, stderr } = await runMsmtp(['auth plain'], 'no-such-token')
  assert.notEqual(status, 0)
  assert.match(stderr, /535 5\.7\.8 Authentication failed/)
})
