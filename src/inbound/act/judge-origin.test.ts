import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  ArcVerdict,
  Authentication,
  DkimVerdict,
  DmarcVerdict,
} from '#inbound/authenticate/authentication.ts'
import { judgeOrigin, resultWords } from './judge-origin.ts'

const NO_DMARC: DmarcVerdict = {
  result: 'none',
  policy: 'none',
  domain: undefined,
  aligned: { spf: false, dkim: false },
}
const NO_ARC: ArcVerdict = { result: 'none', instances: 0, closed: false, undecided: false, sealers: [] }
const signed = (result: DkimVerdict['result']): DkimVerdict => ({
  ...{ domain: 'a.example', selector: 's', result, aligned: true, coversBody: true },
  ...{ algorithm: 'rsa-sha256', signature: 'abc' },
})

function found(
  spf: Authentication['spf']['result'],
  more: Partial<Pick<Authentication, 'dkim' | 'dmarc' | 'arc'>> = {},
): Authentication {
  return {
    spf: { result: spf, domain: 'a.example', identity: 'mailfrom', aligned: true },
    ...{ dkim: [], from: 'a.example', dmarc: NO_DMARC, arc: NO_ARC },
    ...more,
  }
}

const failing = (policy: DmarcVerdict['policy']): DmarcVerdict => ({
  ...{ result: 'fail', policy, domain: 'a.example', aligned: { spf: false, dkim: false } },
})
const trusted = (spf: boolean, dkim: boolean, dmarc: boolean): ArcVerdict => ({
  ...{ ...NO_ARC, result: 'pass', instances: 1, sealers: ['list.example'] },
  trustedPass: { spf, dkim, dmarc },
})

const HERE = { exempt: false, returning: false, byAuthor: true, remoteAddress: '192.0.2.1' }

for (const [what, authentication, expected] of [
  ['SPF alone', found('pass'), 'taken'],
  ['DKIM alone', found('fail', { dkim: [signed('fail'), signed('pass')] }), 'taken'],
  ['neither', found('softfail', { dkim: [signed('fail')] }), '550 5.7.26'],
  ['nothing at all', found('none'), '550 5.7.26'],
  ['neither, SPF not to be had', found('temperror'), '451 4.4.3'],
  ['neither, a key not to be had', found('fail', { dkim: [signed('temperror')] }), '451 4.4.3'],
  ['SPF, and a key not to be had', found('pass', { dkim: [signed('temperror')] }), 'taken'],
  ['DMARC reject', found('pass', { dmarc: failing('reject') }), '550 5.7.1'],
  ['DMARC quarantine', found('pass', { dmarc: failing('quarantine') }), 'taken, spam'],
  ['DMARC none', found('pass', { dmarc: failing('none') }), 'taken'],
  ['DMARC not to be had', found('pass', { dmarc: { ...NO_DMARC, result: 'temperror' } }), '451 4.4.3'],
  [
    'DMARC reject, by a trusted forwarder',
    found('fail', { dmarc: failing('reject'), arc: trusted(true, true, true) }),
    'taken',
  ],
  ['neither, by a trusted forwarder', found('fail', { arc: trusted(true, false, false) }), 'taken'],
  [
    'DMARC reject, whose forwarder claims SPF alone',
    found('fail', { dmarc: failing('reject'), arc: trusted(true, false, false) }),
    '550 5.7.1',
  ],
  [
    'DMARC reject, by an untrusted forwarder',
    found('fail', { dmarc: failing('reject'), arc: { ...NO_ARC, result: 'pass', instances: 1 } }),
    '550 5.7.1',
  ],
  [
    'neither, a chain not to be had',
    found('fail', { arc: { ...NO_ARC, result: 'fail', undecided: true } }),
    '451 4.4.3',
  ],
] as const) {
  test(`${what}: ${expected}`, () => {
    assert.equal(wordsOf(judgeOrigin(authentication, HERE)), expected)
  })
}

test('an exempt message may prove nothing, and DMARC applies all the same', () => {
  const exempt = { ...HERE, exempt: true }
  assert.equal(wordsOf(judgeOrigin(found('none'), exempt)), 'taken')
  assert.equal(wordsOf(judgeOrigin(found('none', { dmarc: failing('reject') }), exempt)), '550 5.7.1')
})

test('who is told of a failure has proven to be the sender', () => {
  const proves = (authentication: Authentication, byAuthor = true) => {
    const judged = judgeOrigin(authentication, { ...HERE, exempt: true, byAuthor })
    return judged.kind === 'taken' && judged.provesSender
  }
  assert.equal(proves(found('pass')), true)
  assert.equal(proves(found('fail', { dkim: [signed('pass')] })), false)
  const dmarc = { ...NO_DMARC, result: 'pass' } as const
  assert.equal(proves(found('fail', { dmarc })), true)
  assert.equal(proves(found('pass', { dmarc }), false), true)
  // Whoever got a signed message can send it again, as somebody else.
  assert.equal(proves(found('fail', { dmarc }), false), false)
})

test('one word for each method', () => {
  assert.deepEqual(resultWords(found('softfail', { dkim: [signed('fail'), signed('pass')] })), {
    ...{ spf: 'softfail', dkim: 'pass', dmarc: 'none', arc: 'none' },
  })
})

function wordsOf(judged: ReturnType<typeof judgeOrigin>): string {
  if (judged.kind === 'taken') return judged.isSpam ? 'taken, spam' : 'taken'
  return `${judged.reply.code} ${judged.reply.enhanced}`
}
