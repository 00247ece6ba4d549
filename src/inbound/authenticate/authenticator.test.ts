import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import type { Lookup, Resolver } from '#net/resolver.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import type { ArrivedMail, Authentication } from './authentication.ts'
import { type AuthenticatorOptions, openAuthenticator } from './authenticator.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const KEY = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const identity = { domain: 'provider.example', selector: 's1', key: privateKey }

const ZONE: Record<string, string> = {
  's1._domainkey.provider.example': `v=DKIM1; k=rsa; p=${KEY}`,
  'provider.example': 'v=spf1 ip4:192.0.2.1 a:hosts.provider.example mx:provider.example -all',
  'mail.provider.example': 'v=spf1 ip4:192.0.2.1 -all',
  'endless.example': 'v=spf1 include:endless.example -all',
  'pointer.example': 'v=spf1 ptr:provider.example -all',
}

function zone(more: Partial<Resolver> = {}): Resolver {
  const found = <T>(records: readonly T[]): Lookup<T> => ({ kind: 'found', records })
  return {
    txt: async (name) => {
      if (name === 'broken.example' || name.endsWith('._domainkey.broken.example'))
        return { kind: 'temporary-failure', detail: 'ESERVFAIL' }
      const text = ZONE[name]
      return text === undefined ? { kind: 'no-such-name' } : found([text])
    },
    mx: async () => found([{ preference: 10, exchange: 'mx.provider.example' }]),
    addresses: async (name) =>
      name === 'hosts.provider.example'
        ? found([
            { address: '2001:db8::7', family: 6 },
            { address: '192.0.2.7', family: 4 },
          ])
        : name === 'mx.provider.example'
          ? found([{ address: '192.0.2.9', family: 4 }])
          : { kind: 'no-data' },
    ...more,
  }
}

function open(t: TestContext, options: Partial<AuthenticatorOptions> = {}) {
  const authenticator = openAuthenticator({ resolver: zone(), ...options })
  t.after(() => authenticator.close())
  return authenticator
}

const mailOf = (content: Buffer | string, more: Partial<ArrivedMail> = {}): ArrivedMail => ({
  content: { kind: 'memory', bytes: Buffer.from(content) },
  remoteAddress: '192.0.2.1',
  helo: 'mail.provider.example',
  mailFrom: 'fbl@provider.example',
  ...more,
})

const MESSAGE = 'From: Loop <fbl@provider.example>\r\nTo: x@y.example\r\nSubject: s\r\n\r\nbody\r\n'

function verified(result: Authentication | 'unavailable'): Authentication {
  assert.ok(result !== 'unavailable')
  return result
}

test('a signed message from the right host passes both', async (t) => {
  const content = await signMessage(Buffer.from(MESSAGE), identity, new Date())
  const signature = / b=(\S{8})/.exec(content.toString('latin1'))?.[1]
  assert.deepEqual(await open(t).authenticate(mailOf(content)), {
    spf: { result: 'pass', domain: 'provider.example', identity: 'mailfrom', aligned: true },
    dkim: [
      {
        domain: 'provider.example',
        selector: 's1',
        result: 'pass',
        aligned: true,
        coversBody: true,
        algorithm: 'rsa-sha256',
        signature,
      },
    ],
    from: 'provider.example',
    dmarc: { result: 'none', policy: 'none', domain: undefined, aligned: { spf: false, dkim: false } },
    arc: { result: 'none', instances: 0, closed: false, undecided: false, sealers: [] },
  })
})

test('what was changed on the way fails; an unknown key and a foreign author are told', async (t) => {
  const authenticator = open(t)
  const signed = await signMessage(Buffer.from(MESSAGE), identity, new Date())
  const changed = Buffer.from(signed.toString('latin1').replace('body', 'bodY'), 'latin1')
  const foreign = await signMessage(
    Buffer.from(MESSAGE.replace('fbl@provider.example', 'fbl@other.example')),
    identity,
    new Date(),
  )
  const unknown = await signMessage(Buffer.from(MESSAGE), { ...identity, selector: 's2' }, new Date())
  const results = await Promise.all(
    [changed, foreign, unknown].map(async (content) => {
      const { dkim } = verified(await authenticator.authenticate(mailOf(content)))
      return dkim.map(({ result, aligned }) => ({ result, aligned }))
    }),
  )
  assert.deepEqual(results, [
    [{ result: 'fail', aligned: true }],
    [{ result: 'pass', aligned: false }],
    [{ result: 'neutral', aligned: true }],
  ])
})

test('the end of a body that a signature leaves open is told', async (t) => {
  const { dkimSign } = await import('mailauth')
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const by = { signingDomain: 'provider.example', selector: 's1', privateKey: key, maxBodyLength: 2 }
  const signature = await dkimSign(MESSAGE, { ...by, signatureData: [by] })
  const { dkim } = verified(await open(t).authenticate(mailOf(`${signature.signatures}${MESSAGE}`)))
  assert.deepEqual(
    dkim.map(({ result, coversBody }) => ({ result, coversBody })),
    [{ result: 'pass', coversBody: false }],
  )
})

test('SPF asks MAIL FROM, and HELO for the null sender; A, AAAA and MX come from our resolver', async (t) => {
  const authenticator = open(t)
  const cases: [Partial<ArrivedMail>, string][] = [
    [{ remoteAddress: '192.0.2.7' }, 'pass provider.example'],
    [{ remoteAddress: '2001:db8::7' }, 'pass provider.example'],
    [{ remoteAddress: '192.0.2.9' }, 'pass provider.example'],
    [{ remoteAddress: '192.0.2.66' }, 'fail provider.example'],
    [{ mailFrom: '' }, 'pass mail.provider.example'],
    [{ mailFrom: '', helo: '[192.0.2.1]' }, 'none [192.0.2.1]'],
    [{ mailFrom: 'a@nothing.example' }, 'none nothing.example'],
    [{ mailFrom: 'a@broken.example' }, 'temperror broken.example'],
    [{ mailFrom: 'a@endless.example' }, 'permerror endless.example'],
    [{ mailFrom: 'a@pointer.example' }, 'fail pointer.example'],
  ]
  for (const [more, expected] of cases) {
    const mail = mailOf(MESSAGE, more)
    const { spf } = verified(await authenticator.authenticate(mail))
    assert.equal(`${spf.result} ${spf.domain}`, expected)
    assert.deepEqual(await authenticator.checkSender(mail), { ...spf, aligned: false })
  }
})

test('a DNS that does not answer is told apart, also one that never does', async (t) => {
  const content = await signMessage(
    Buffer.from(MESSAGE.replace('provider', 'broken')),
    { ...identity, domain: 'broken.example' },
    new Date(),
  )
  const first = verified(await open(t).authenticate(mailOf(content)))
  assert.deepEqual(
    first.dkim.map(({ result }) => result),
    ['temperror'],
  )
  const silent = zone({ txt: () => new Promise(() => {}) })
  const second = verified(await open(t, { resolver: silent, dnsMs: 50 }).authenticate(mailOf(content)))
  assert.deepEqual([second.spf.result, second.dkim[0]?.result], ['temperror', 'temperror'])
  const throwing = zone({ txt: () => Promise.reject(new Error('a bug')) })
  const third = verified(await open(t, { resolver: throwing }).authenticate(mailOf(content)))
  assert.equal(third.dkim[0]?.result, 'temperror')
})

test('past the tenth no signature is looked at', async (t) => {
  const asked: string[] = []
  const counting = zone({
    txt: async (name) => {
      asked.push(name)
      return { kind: 'no-such-name' }
    },
  })
  const signatures = Array.from(
    { length: 900 },
    (_, index) => `DKIM-Signature: v=1; a=rsa-sha256; d=d${index}.example; s=s; h=from; bh=x; b=y\r\n`,
  )
  const { dkim } = verified(
    await open(t, { resolver: counting }).authenticate(mailOf(signatures.join('') + MESSAGE)),
  )
  assert.equal(dkim.length, 10)
  assert.ok(asked.length <= 12)
})

test('of a header that can be read in two ways nothing is believed', async (t) => {
  const authenticator = open(t)
  const signed = (await signMessage(Buffer.from(MESSAGE), identity, new Date())).toString('latin1')
  const headers = {
    'space before the colon': `From : a@other.example\r\n${signed}`,
    'no colon': `nonsense\r\n${signed}`,
    'folded from the start': ` x: y\r\n${signed}`,
    'a bare CR': `X: a\rFrom: b@other.example\r\n${signed}`,
    'too many fields': 'X: y\r\n'.repeat(1000) + signed,
    'too large': `X: ${'y'.repeat(300 * 1024)}\r\n${signed}`,
  }
  for (const [name, content] of Object.entries(headers)) {
    const { dkim, from, spf, dmarc, arc } = verified(await authenticator.authenticate(mailOf(content)))
    assert.deepEqual([dkim, from, spf.result], [[], undefined, 'pass'], name)
    assert.deepEqual([dmarc.result, arc.result], ['permerror', 'none'], name)
  }
  for (const author of ['From: a@x.example\r\n', 'From: a@x.example, b@y.example\r\n', '']) {
    const more = author === '' ? MESSAGE.slice(MESSAGE.indexOf('To:')) : author + MESSAGE
    assert.equal(verified(await authenticator.authenticate(mailOf(more))).from, undefined)
  }
})

test('messages that take a thread too long cost their neighbours one try, and the next ones nothing', async (t) => {
  const authenticator = open(t, { threads: 1, dnsMs: 1000, graceMs: 100 })
  // Each of these hashes the body in its own way, for the better part of a second altogether.
  const signatures = Array.from(
    { length: 10 },
    (_, index) =>
      `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=provider.example; s=s1; h=from; l=${index}; bh=AA; b=AA\r\n`,
  )
  const hard = Buffer.concat([
    Buffer.from(signatures.join('') + MESSAGE),
    Buffer.alloc(14 * 1024 * 1024, 'a b  c \r\n'),
  ])
  const results = await Promise.all(
    [hard, hard, hard, hard, hard, hard, MESSAGE].map((content) =>
      authenticator.authenticate(mailOf(content)),
    ),
  )
  assert.equal(results[0], 'unavailable')
  assert.equal(verified(await authenticator.authenticate(mailOf(MESSAGE))).spf.result, 'pass')
})

test('more than may wait are sent away, and a close answers everybody', async (t) => {
  const silent = zone({ txt: () => new Promise(() => {}) })
  const authenticator = open(t, { resolver: silent, threads: 1, perThread: 1, waiting: 1 })
  const results = [1, 2, 3].map(() => authenticator.authenticate(mailOf(MESSAGE)))
  assert.equal(await results[2], 'unavailable')
  await authenticator.close()
  assert.deepEqual(await Promise.all(results), ['unavailable', 'unavailable', 'unavailable'])
  assert.equal(await authenticator.authenticate(mailOf(MESSAGE)), 'unavailable')
})

test('a verdict of before is taken over, set beside the author, and not asked for again', async (t) => {
  const asked: string[] = []
  const counting = zone({
    txt: async (name) => {
      asked.push(name)
      return { kind: 'no-such-name' }
    },
  })
  const known = {
    result: 'softfail',
    domain: 'provider.example',
    identity: 'mailfrom',
    aligned: false,
  } as const
  const { spf } = verified(
    await open(t, { resolver: counting }).authenticate(mailOf(MESSAGE), { spf: known }),
  )
  assert.deepEqual(spf, { ...known, aligned: true })
  assert.deepEqual(
    asked.filter((name) => !name.startsWith('_dmarc.')),
    [],
  )
})

test('a file has the verdicts that the same octets have in memory', async (t) => {
  const authenticator = open(t)
  const directory = await mkdtemp(join(tmpdir(), 'authenticate-'))
  t.after(() => rm(directory, { recursive: true }))
  const long = `${MESSAGE}${'a line of the body\r\n'.repeat(60_000)}${'y'.repeat(700_000)} \r\n\r\n`
  const signed = await signMessage(Buffer.from(long), identity, new Date())
  const cases = {
    signed,
    changed: Buffer.from(signed.toString('latin1').replace(/y (?=\r\n\r\n$)/, 'z '), 'latin1'),
    'past the tenth signature': Buffer.concat([
      Buffer.from('DKIM-Signature: v=1; a=rsa-sha256; d=d.example; s=s; h=from; bh=x; b=y\r\n'.repeat(12)),
      signed,
    ]),
    unsigned: Buffer.from(long),
    'too large a header': Buffer.from(`X: ${'y'.repeat(300 * 1024)}\r\n${long}`),
    'only a header': Buffer.from('From: a@provider.example\r\n'),
    empty: Buffer.alloc(0),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    const path = join(directory, 'content')
    await writeFile(path, bytes)
    const content = { kind: 'file', path, size: bytes.length } as const
    const [ofFile, ofMemory] = await Promise.all([
      authenticator.authenticate({ ...mailOf(''), content }),
      authenticator.authenticate(mailOf(bytes)),
    ])
    assert.deepEqual(ofFile, ofMemory, name)
    if (name === 'signed') assert.equal(verified(ofFile).dkim[0]?.result, 'pass')
    if (name === 'changed') assert.equal(verified(ofFile).dkim[0]?.result, 'fail')
  }
  const content = { kind: 'file', path: join(directory, 'gone'), size: 1 } as const
  await assert.rejects(authenticator.authenticate({ ...mailOf(''), content }))
  assert.equal(verified(await authenticator.authenticate(mailOf(MESSAGE))).spf.result, 'pass')
})

test('whatever strangers send has verdicts', async (t) => {
  const authenticator = open(t)
  const line = fc.oneof(
    fc.constantFrom(
      'From: a@b.example',
      'From: "x" <@>, group: a@b, c@d;',
      'DKIM-Signature: v=1; d=; s=; h=; b=; bh=',
      'DKIM-Signature: v=1; a=rsa-sha256; d=provider.example; s=s1; h=from:from; l=-1; b=AA; bh=AA',
      'ARC-Seal: i=1; cv=none',
      'Received: from x',
      '',
    ),
    fc.string({ unit: 'binary' }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.string(),
      fc.string({ unit: 'binary' }),
      async (lines, helo, mailFrom) => {
        const result = await authenticator.authenticate(mailOf(lines.join('\r\n'), { helo, mailFrom }))
        assert.notEqual(result, 'unavailable')
      },
    ),
    { numRuns: 100 },
  )
})
