import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Smarthost } from '#model/smarthost.ts'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import type { HostAddress, Lookup } from '#net/resolver.ts'
import { playServer } from '#test/smtp-dialogue.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { type TryOptions, trySmarthost } from './try-smarthost.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-smtp-'))
after(() => rm(folder, { recursive: true }))
const ca = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

const LOGIN = { username: 'us', password: 'the-password' }
const HOST = 'relay.posthorn.test'

function at(...addresses: readonly string[]): Lookup<HostAddress> {
  const records = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }) as const)
  return { kind: 'found', records }
}

function attempt(
  smarthost: Partial<Smarthost>,
  found: Lookup<HostAddress> = at('127.0.0.1'),
  options: Partial<TryOptions> = {},
) {
  return trySmarthost(
    { id: 'x', host: HOST, port: 1, tls: 'none', trusted: true, ...smarthost },
    {
      resolver: { addresses: async () => found },
      ehloName: 'client.test',
      verify: { ca: ca.certificate },
      mayDial: () => true,
      now: Date.now,
      ...options,
    },
  )
}

test('a smarthost that takes our login, by either TLS', async (t) => {
  for (const tls of ['implicit', 'starttls'] as const) {
    const server = await startSmtpServer(t, {
      tls: { mode: tls, context: () => ca.leaf },
      handler: {
        authenticate: async (_, username, password) =>
          username === LOGIN.username && password === LOGIN.password
            ? undefined
            : { code: 535, enhanced: '5.7.8', text: 'No' },
      },
    })
    const trial = await attempt({ port: server.port, tls, login: LOGIN })
    assert.equal(trial.outcome, 'ready', JSON.stringify(trial))
    assert.match(trial.tls ?? '', /^TLSv1\.3 TLS_/)
    assert.equal(trial.address, '127.0.0.1')
    assert.deepEqual(trial.dialogue.slice(-4), [
      'c: AUTH PLAIN (credentials)',
      's: 235 2.7.0 Authentication successful',
      'c: QUIT',
      trial.dialogue.at(-1),
    ])
    assert.match(trial.dialogue.at(-1) ?? '', /^s: 221 /)
    const refused = await attempt({ port: server.port, tls, login: { ...LOGIN, password: 'guess' } })
    assert.deepEqual([refused.outcome, refused.detail], ['login-refused', '535 5.7.8 No'])
    const wrongHost = await attempt({ port: server.port, tls, host: 'relay.example' })
    assert.equal(wrongHost.outcome, 'tls-failed')
  }
})

test('a smarthost in clear, one that refuses, one that is none', async () => {
  await using clear = await playServer(
    's: 220 x\nc: EHLO client.test\ns: 250 x\nc: QUIT\ns: 221 bye\nc: (close)',
  )
  const ready = await attempt({ port: clear.port })
  assert.deepEqual(ready.dialogue, ['s: 220 x', 'c: EHLO client.test', 's: 250 x', 'c: QUIT', 's: 221 bye'])
  assert.equal(ready.outcome, 'ready')
  assert.equal(ready.tls, undefined)
  await using closed = await playServer('s: 554 5.7.1 not you\nc: QUIT')
  assert.equal((await attempt({ port: closed.port })).outcome, 'refused')
  await using foreign = await playServer('s: HTTP/1.1 400 Bad Request')
  const none = await attempt({ port: foreign.port })
  assert.equal(none.outcome, 'unreachable')
  assert.match(none.detail, /Protocol error/)
  assert.deepEqual(none.dialogue, [], 'what is no SMTP is shown to nobody')
})

test('of several addresses, those that do not answer are passed over', async () => {
  await using server = await playServer(
    's: 220 x\nc: EHLO client.test\ns: 250 x\nc: QUIT\ns: 221 bye\nc: (close)',
  )
  const trial = await attempt({ port: server.port }, at('127.0.0.9', '127.0.0.1'))
  assert.deepEqual([trial.outcome, trial.address], ['ready', '127.0.0.1'])
  const dead = await attempt({ port: server.port }, at('127.0.0.9'))
  assert.equal(dead.outcome, 'unreachable')
  assert.match(dead.detail, /ECONNREFUSED/)
})

test('a customer’s smarthost is not looked for in our own network', async () => {
  await using server = await playServer('c: (close)')
  const inside = at('127.0.0.1', '10.0.0.1', '::1', '169.254.169.254')
  const trial = await attempt({ port: server.port, trusted: false }, inside)
  assert.deepEqual([trial.outcome, trial.detail], ['no-address', 'relay.posthorn.test has no public address'])
  const literal = await attempt({ port: server.port, trusted: false, host: '127.0.0.1' }, inside)
  assert.equal(literal.outcome, 'no-address')
})

test('a name that leads nowhere, and DNS that does not answer', async () => {
  const answers: readonly Lookup<HostAddress>[] = [
    { kind: 'no-such-name' },
    { kind: 'no-data' },
    { kind: 'temporary-failure', detail: 'ESERVFAIL' },
  ]
  for (const answer of answers) {
    const trial = await attempt({}, answer)
    assert.equal(trial.outcome, 'no-address')
    assert.match(trial.detail, /relay\.posthorn\.test/)
  }
})

test('a host that keeps us waiting, and one that says too much', async () => {
  await using silent = await playServer('c: (close)')
  const late = await attempt({ port: silent.port }, undefined, { withinMs: 50 })
  assert.deepEqual([late.outcome, late.detail], ['unreachable', 'It was not over within 0.05 seconds'])
  const long = 'x'.repeat(1500)
  const lines = `${`s: 250-${long}\n`.repeat(30)}s: 250 x`
  await using talker = await playServer(`s: 220 x\nc: EHLO client.test\n${lines}\nc: QUIT\ns: 221 bye`)
  const { outcome, dialogue } = await attempt({ port: talker.port })
  assert.equal(outcome, 'ready')
  assert.ok(dialogue.every((line) => line.length <= 500))
})
