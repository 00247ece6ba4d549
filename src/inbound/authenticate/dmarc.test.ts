import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { Resolver } from '#net/resolver.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { suiteZone } from '#test/suite-zone.ts'
import type { DmarcVerdict } from './authentication.ts'
import { answerDns } from './dns-question.ts'
import { verifyMail } from './verify-mail.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const KEY = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

/** TXT records by name; 'TIMEOUT' where DNS does not answer. */
type Texts = Readonly<Record<string, string | readonly string[]>>

function zone(texts: Texts, asked: string[] = []): Resolver {
  const records = Object.entries(texts).map(([name, text]) => {
    const all = [text].flat()
    return [name, all.map((one) => (one === 'TIMEOUT' ? ('TIMEOUT' as const) : { TXT: one }))] as const
  })
  const resolver = suiteZone(Object.fromEntries(records))
  return {
    ...resolver,
    txt(name) {
      asked.push(name)
      return resolver.txt(name)
    },
  }
}

interface Case {
  readonly dns: Texts
  readonly from: string
  readonly mailFrom?: string
  readonly helo?: string
  readonly content?: (message: string) => Promise<Buffer>
  readonly asked?: string[]
}

const messageFrom = (from: string) => `From: ${from}\r\nSubject: s\r\n\r\nbody\r\n`

async function judged({ dns, from, mailFrom = '', helo = '', content, asked }: Case): Promise<DmarcVerdict> {
  const resolver = zone(dns, asked)
  const message = from.includes('\r\n') ? from : messageFrom(from)
  const bytes = content ? await content(message) : Buffer.from(message)
  const session = { remoteAddress: '192.0.2.1', helo, mailFrom }
  const { dmarc } = await verifyMail(
    { content: { kind: 'memory', bytes }, ...session },
    { ask: (question) => answerDns(resolver, question) },
  )
  return dmarc
}

const told = ({ result, policy, domain }: DmarcVerdict) =>
  [result, policy, domain].filter((word) => word !== undefined).join(' ')
const aligned = ({ aligned: { spf, dkim } }: DmarcVerdict) =>
  [spf && 'spf', dkim && 'dkim'].filter(Boolean).join(' ')

const signedBy = (domain: string) => (message: string) =>
  signMessage(Buffer.from(message), { domain, selector: 's1', key: privateKey }, new Date())
const keyOf = (domain: string): Texts => ({ [`s1._domainkey.${domain}`]: `v=DKIM1; p=${KEY}` })
const spfOf = (domain: string): Texts => ({ [domain]: 'v=spf1 ip4:192.0.2.1 -all' })

test('the walk up the tree is the one of RFC 9989 §4.10, eight questions at most', async () => {
  const asked: string[] = []
  const from = 'x@a.b.c.d.e.f.g.h.i.j.mail.example.com'
  const dns = { '_dmarc.example.com': 'v=DMARC1; p=reject' }
  assert.equal(told(await judged({ dns, from, asked })), 'fail reject example.com')
  assert.deepEqual(
    asked.filter((name) => name.startsWith('_dmarc.')),
    [
      '_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com',
      '_dmarc.g.h.i.j.mail.example.com',
      '_dmarc.h.i.j.mail.example.com',
      '_dmarc.i.j.mail.example.com',
      '_dmarc.j.mail.example.com',
      '_dmarc.mail.example.com',
      '_dmarc.example.com',
      '_dmarc.com',
    ],
  )
})

test('the policy is that of the record: p, sp, np, t, psd; what cannot be used asks for nothing', async () => {
  const org = (record: string): Texts => ({ '_dmarc.example.com': record, 'sub.example.com': 'exists' })
  const cases: [string, Texts, string][] = [
    ['a@example.com', org('v=DMARC1; p=reject; sp=none'), 'fail reject example.com'],
    ['a@sub.example.com', org('v=DMARC1; p=reject; sp=quarantine; np=none'), 'fail quarantine example.com'],
    ['a@gone.example.com', org('v=DMARC1; p=none; sp=none; np=reject'), 'fail reject example.com'],
    ['a@gone.example.com', org('v=DMARC1; p=none; sp=quarantine'), 'fail quarantine example.com'],
    ['a@sub.example.com', org('v=DMARC1; p=reject'), 'fail reject example.com'],
    [
      'a@sub.example.com',
      { ...org('v=DMARC1; p=reject'), '_dmarc.sub.example.com': 'v=DMARC1; p=none' },
      'fail none sub.example.com',
    ],
    ['a@example.com', org('v=DMARC1; p=reject; t=y'), 'fail quarantine example.com'],
    ['a@example.com', org('v=DMARC1; p=quarantine; t=y'), 'fail none example.com'],
    ['a@example.com', org('v=DMARC1; p=reject; t=n'), 'fail reject example.com'],
    // RFC 9989 took it away; RFC 7489 had a share of the failures spared.
    ['a@example.com', org('v=DMARC1; p=reject; pct=0'), 'fail reject example.com'],
    // The public suffix that speaks for whoever is silent (RFC 9989 §4.10.1).
    [
      'a@x.bank.example',
      { '_dmarc.example': 'v=DMARC1; p=none; sp=reject; psd=y', 'x.bank.example': 'exists' },
      'fail reject example',
    ],
    ['A@EXAMPLE.COM', org('v=DMARC1 ; P=none; p = Reject'), 'fail reject example.com'],
    [
      'a@bücher.example',
      { '_dmarc.xn--bcher-kva.example': 'v=DMARC1; p=reject' },
      'fail reject xn--bcher-kva.example',
    ],
    ['a@example.com', org('v=DMARC1; p=sometimes; rua=mailto:d@example.com'), 'fail none example.com'],
    ['a@example.com', org('v=DMARC1; rua=mailto:d@example.com'), 'fail none example.com'],
    ['a@example.com', org('v=DMARC1'), 'none none'],
    ['a@example.com', org('v=DMARC1; p=sometimes'), 'none none'],
    ['a@example.com', org('v=dmarc1; p=reject'), 'none none'],
    ['a@example.com', org('p=reject; v=DMARC1'), 'none none'],
    ['a@example.com', { '_dmarc.example.com': ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] }, 'none none'],
    [
      'a@example.com',
      { '_dmarc.example.com': ['v=DMARC1; p=reject', 'v=spf1 -all'] },
      'fail reject example.com',
    ],
    ['a@example.com', {}, 'none none'],
  ]
  for (const [from, dns, expected] of cases) {
    assert.equal(told(await judged({ dns, from })), expected, `${from} ${JSON.stringify(dns)}`)
  }
})

test('alignment: relaxed within the organizational domain that the walk finds, strict by name', async () => {
  const record = (more = ''): Texts => ({ '_dmarc.example.com': `v=DMARC1; p=reject${more}` })
  const cases: [string, Omit<Case, 'from'> & { from?: string }, string][] = [
    [
      'spf',
      { dns: { ...record(), ...spfOf('bounce.example.com') }, mailFrom: 'x@bounce.example.com' },
      'pass spf',
    ],
    [
      'above',
      { dns: { ...record(), ...spfOf('example.com') }, mailFrom: 'x@example.com', from: 'a@sub.example.com' },
      'pass spf',
    ],
    [
      'siblings',
      {
        dns: { ...record(), ...spfOf('b.example.com') },
        mailFrom: 'x@b.example.com',
        from: 'a@a.example.com',
      },
      'pass spf',
    ],
    ['null sender', { dns: { ...record(), ...spfOf('mx.example.com') }, helo: 'mx.example.com' }, 'pass spf'],
    [
      'aspf=s',
      { dns: { ...record('; aspf=s'), ...spfOf('bounce.example.com') }, mailFrom: 'x@bounce.example.com' },
      'fail ',
    ],
    ['another', { dns: { ...record(), ...spfOf('example.net') }, mailFrom: 'x@example.net' }, 'fail '],
    [
      'look-alike',
      { dns: { ...record(), ...spfOf('badexample.com') }, mailFrom: 'x@badexample.com' },
      'fail ',
    ],
    [
      'dkim',
      { dns: { ...record(), ...keyOf('news.example.com') }, content: signedBy('news.example.com') },
      'pass dkim',
    ],
    [
      'adkim=s',
      {
        dns: { ...record('; adkim=s'), ...keyOf('news.example.com') },
        content: signedBy('news.example.com'),
      },
      'fail ',
    ],
    [
      'adkim=s, the same',
      { dns: { ...record('; adkim=s'), ...keyOf('example.com') }, content: signedBy('example.com') },
      'pass dkim',
    ],
    [
      'psd=n makes a subdomain its own organization',
      {
        dns: { ...record(), '_dmarc.own.example.com': 'v=DMARC1; p=reject; psd=n', ...spfOf('example.com') },
        mailFrom: 'x@example.com',
        from: 'a@own.example.com',
      },
      'fail ',
    ],
    [
      'neighbours under a public suffix are strangers',
      {
        dns: { '_dmarc.example': 'v=DMARC1; p=reject; psd=y', ...spfOf('one.example') },
        mailFrom: 'x@one.example',
        from: 'a@two.example',
      },
      'fail ',
    ],
  ]
  for (const [name, { from = 'a@example.com', ...more }, expected] of cases) {
    const verdict = await judged({ from, ...more })
    assert.equal(`${verdict.result} ${aligned(verdict)}`, expected, name)
  }
})

test('a signature that leaves the end of the body open does not count, one whose end nobody used does', async () => {
  const { dkimSign } = await import('mailauth')
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const limited = (length: number) => async (message: string) => {
    const by = { signingDomain: 'example.com', selector: 's1', privateKey: key, maxBodyLength: length }
    const { signatures } = await dkimSign(message, { ...by, signatureData: [by] })
    return Buffer.from(signatures + message)
  }
  const dns = { '_dmarc.example.com': 'v=DMARC1; p=reject', ...keyOf('example.com') }
  const results = [2, 6].map(async (length) => {
    const { result } = await judged({ dns, from: 'a@example.com', content: limited(length) })
    return result
  })
  assert.deepEqual(await Promise.all(results), ['fail', 'pass'])
})

test('what DNS did not answer is undecided only as far as it could change the result', async () => {
  const record = { '_dmarc.example.com': 'v=DMARC1; p=reject' }
  const cases: [string, Omit<Case, 'from'>, string][] = [
    ['the record', { dns: { '_dmarc.example.com': 'TIMEOUT' } }, 'temperror'],
    [
      'an aligned sender',
      { dns: { ...record, 'example.com': 'TIMEOUT' }, mailFrom: 'x@example.com' },
      'temperror',
    ],
    ['another sender', { dns: { ...record, 'example.net': 'TIMEOUT' }, mailFrom: 'x@example.net' }, 'fail'],
    [
      'an aligned key',
      { dns: { ...record, 's1._domainkey.example.com': 'TIMEOUT' }, content: signedBy('example.com') },
      'temperror',
    ],
    [
      'a key that is not needed',
      {
        dns: { ...record, 's1._domainkey.example.com': 'TIMEOUT', ...spfOf('example.com') },
        content: signedBy('example.com'),
        mailFrom: 'x@example.com',
      },
      'pass',
    ],
  ]
  for (const [name, more, expected] of cases) {
    assert.equal((await judged({ from: 'a@example.com', ...more })).result, expected, name)
  }
})

test('an author whom two readers could take for two has nobody to pass for', async () => {
  const dns = {
    '_dmarc.example.com': 'v=DMARC1; p=reject',
    '_dmarc.other.example': 'v=DMARC1; p=none',
    ...spfOf('example.com'),
  }
  const cases: Record<string, string> = {
    'From: a@example.com\r\nFrom: b@example.com\r\n\r\n': 'permerror',
    'From: a@example.com\r\nfrom : b@other.example\r\n\r\n': 'permerror',
    'From: a@example.com, b@other.example\r\n\r\n': 'permerror',
    'From: a@example.com, b@example.com\r\n\r\n': 'pass',
    'From: <a@example.com> <b@other.example>\r\n\r\n': 'permerror',
    'From: "a@example.com" <b@other.example>\r\n\r\n': 'fail',
    'From: a@other.example <b@example.com>\r\n\r\n': 'pass',
    'From: group: a@example.com, b@example.com;\r\n\r\n': 'pass',
    'From: a@example.com@other.example\r\n\r\n': 'permerror',
    'From: (comment\r\n\r\n': 'permerror',
    'From: nobody\r\n\r\n': 'permerror',
    'From:\r\n\r\n': 'permerror',
    'Subject: no author\r\n\r\n': 'permerror',
    'From: a..b@example.com\r\n\r\n': 'pass',
    'From: =?utf-8?q?a=40other=2Eexample?= <b@example.com>\r\n\r\n': 'pass',
  }
  for (const [from, expected] of Object.entries(cases)) {
    const { result } = await judged({ dns, from, mailFrom: 'x@example.com' })
    assert.equal(result, expected, from)
  }
})
