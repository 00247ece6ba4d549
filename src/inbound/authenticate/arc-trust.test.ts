import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type ARCSealOptions, sealMessage } from 'mailauth'
import type { ArcVerdict } from './authentication.ts'
import type { DnsAnswer } from './dns-question.ts'
import { verifyMail } from './verify-mail.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
const PRIVATE = privateKey.export({ type: 'pkcs8', format: 'pem' })
const KEY = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

const MESSAGE = 'From: Ann <ann@author.example>\r\nSubject: s\r\n\r\nbody\r\n'
const PASSED =
  'mx.example; spf=pass smtp.mailfrom=author.example; dkim=pass header.d=author.example; dmarc=pass header.from=author.example'

interface Seal {
  readonly by: string
  readonly says?: string
  readonly cv?: 'none' | 'pass' | 'fail'
}

/** The first seal first. */
async function sealed(message: string, seals: readonly Seal[]): Promise<string> {
  let octets = message
  for (const [at, { by, says = PASSED, cv = at === 0 ? 'none' : 'pass' }] of seals.entries()) {
    const seal = {
      signingDomain: by,
      selector: 's1',
      privateKey: PRIVATE,
      authResults: says,
      cv,
    } satisfies ARCSealOptions
    octets = `${(await sealMessage(octets, seal)).toString('latin1')}${octets}`
  }
  return octets
}

async function judged(
  octets: string,
  trustedSealers: readonly string[] = [],
  keyOf: (name: string) => DnsAnswer = () => ({ records: [[`v=DKIM1; p=${KEY}`]] }),
): Promise<ArcVerdict> {
  const content = { kind: 'memory', bytes: Buffer.from(octets, 'latin1') } as const
  const session = { remoteAddress: '192.0.2.1', helo: 'relay.example', mailFrom: 'x@relay.example' }
  const ask = async ({ name }: { readonly name: string }): Promise<DnsAnswer> =>
    name.includes('._domainkey.') ? keyOf(name) : { code: 'ENOTFOUND' }
  const { arc } = await verifyMail({ content, ...session }, { ask, trustedSealers })
  return arc
}

const summary = ({ result, instances, sealers }: ArcVerdict) => `${result} ${instances} ${sealers.join(' ')}`

test('a chain names its sealers, the newest first, and is trusted only where each of them is', async () => {
  const octets = await sealed(MESSAGE, [{ by: 'list.example' }, { by: 'Relay.example' }])
  const all = { spf: true, dkim: true, dmarc: true }
  const cases: [readonly string[], ArcVerdict['trustedPass'], string | undefined][] = [
    [[], undefined, undefined],
    [['list.example'], undefined, undefined],
    [['relay.example'], undefined, 'relay.example'],
    [['example'], undefined, undefined],
    [['relay.example', 'LIST.example'], all, 'list.example'],
  ]
  for (const [trusted, pass, oldest] of cases) {
    const arc = await judged(octets, trusted)
    assert.equal(summary(arc), 'pass 2 relay.example list.example')
    assert.deepEqual([arc.trustedPass, arc.oldest?.sealer], [pass, oldest], trusted.join(' '))
  }
})

test('what a trusted sealer claims is read as it stands, and about the present author alone', async () => {
  const cases: Record<string, ArcVerdict['trustedPass']> = {
    [PASSED]: { spf: true, dkim: true, dmarc: true },
    'mx.example; spf=fail; dkim=fail header.d=a; dkim=pass header.d=b; dmarc=fail': {
      spf: false,
      dkim: true,
      dmarc: false,
    },
    'mx.example; dmarc=pass header.from=other.example': { spf: false, dkim: false, dmarc: false },
    'mx.example; dmarc=pass header.from=AUTHOR.example': { spf: false, dkim: false, dmarc: true },
    'mx.example; dmarc=pass': { spf: false, dkim: false, dmarc: true },
    'mx.example; dmarc=fail; dmarc=pass': { spf: false, dkim: false, dmarc: false },
    'mx.example (dmarc=pass); dmarc=fail (spf=pass; dkim=pass)': { spf: false, dkim: false, dmarc: false },
    'mx.example; dkim=none reason="; dmarc=pass; spf=pass"': { spf: false, dkim: false, dmarc: false },
    'mx.example; none': { spf: false, dkim: false, dmarc: false },
  }
  for (const [says, expected] of Object.entries(cases)) {
    const arc = await judged(await sealed(MESSAGE, [{ by: 'list.example', says }]), ['list.example'])
    assert.deepEqual(arc.trustedPass, expected, says)
  }
})

test('a chain that fails proves nothing, whoever sealed it; where a new set goes is told', async () => {
  const trusted = ['list.example', 'relay.example']
  const octets = await sealed(MESSAGE, [{ by: 'list.example' }, { by: 'relay.example' }])
  const closed = await sealed(octets, [{ by: 'relay.example', cv: 'fail' }])
  const broken: Record<string, [string, string]> = {
    'a changed body': [octets.replace('body', 'bodY'), 'fail 2 open'],
    'a changed author': [octets.replace('ann@author', 'ann@other'), 'fail 2 open'],
    'another claim': [octets.replace('dkim=pass', 'dkim=fail'), 'fail 2 open'],
    'a set without its seal': [octets.replace('ARC-Seal: i=2', 'X-Seal: i=2'), 'fail 2 open'],
    'a set twice': [`ARC-Seal: i=2; a=rsa-sha256; b=x; cv=pass; d=x; s=x\r\n${octets}`, 'fail 2 open'],
    'an instance too high': [
      `ARC-Seal: i=51; a=rsa-sha256; b=x; cv=pass; d=x; s=x\r\n${octets}`,
      'fail 51 open',
    ],
    'no instance': [`ARC-Seal: a=rsa-sha256; b=x; cv=pass; d=x; s=x\r\n${octets}`, 'fail 2 open'],
    'closed by its newest seal': [closed, 'fail 3 closed'],
  }
  for (const [name, [changed, expected]] of Object.entries(broken)) {
    const arc = await judged(changed, trusted)
    assert.equal(`${arc.result} ${arc.instances} ${arc.closed ? 'closed' : 'open'}`, expected, name)
    assert.deepEqual(
      [arc.sealers, arc.trustedPass, arc.oldest, arc.undecided],
      [[], undefined, undefined, false],
    )
  }
})

test('a key that DNS does not tell now may make it pass later', async () => {
  const octets = await sealed(MESSAGE, [{ by: 'list.example' }, { by: 'relay.example' }])
  for (const silent of ['list.example', 'relay.example']) {
    const arc = await judged(octets, [], (name) =>
      name.endsWith(silent) ? { code: 'ESERVFAIL' } : { records: [[`v=DKIM1; p=${KEY}`]] },
    )
    assert.deepEqual([arc.result, arc.undecided], ['fail', true], silent)
  }
  const arc = await judged(octets, [], () => ({ code: 'ENOTFOUND' }))
  assert.deepEqual([arc.result, arc.undecided], ['fail', false])
})

test('fifty sets are a chain', async () => {
  const octets = await sealed(
    MESSAGE,
    Array.from({ length: 50 }, () => ({ by: 'relay.example', says: 'mx.example; none' })),
  )
  const arc = await judged(octets, ['relay.example'])
  assert.deepEqual([arc.result, arc.instances, arc.sealers.length], ['pass', 50, 50])
})

test('claims that nobody sealed are none, wherever they stand', async () => {
  const octets = await sealed(MESSAGE, [{ by: 'list.example', says: 'mx.example; dmarc=fail; spf=fail' }])
  const claims = [
    'i=1;',
    'i=01;',
    ' i = 1 ;',
    'I=1;',
    '(c) i=1;',
    'i=1;\r\n',
    'mx.example; i=1;',
    'i=2; i=1;',
    'i=;i=1;',
    'i="1";',
  ]
  for (const instance of claims) {
    for (const name of [
      'ARC-Authentication-Results',
      'arc-authentication-results',
      'ARC-Authentication-Results ',
    ]) {
      const field = `${name}: ${instance} ${PASSED}\r\n`
      const at = octets.indexOf('From:')
      for (const forged of [
        field + octets,
        octets.slice(0, at) + field + octets.slice(at),
        octets.replace('\r\n\r\n', `\r\n${field}\r\n`),
      ]) {
        const { trustedPass } = await judged(forged, ['list.example'])
        const isTrusted = trustedPass?.dmarc === true || trustedPass?.spf === true
        assert.equal(isTrusted, false, field)
      }
    }
  }
})
