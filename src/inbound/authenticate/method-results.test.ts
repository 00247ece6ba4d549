import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticationResultsField } from '#protocol/authentication-results.ts'
import type { Authentication } from './authentication.ts'
import { methodResults } from './method-results.ts'

const NOTHING: Authentication = {
  spf: { result: 'none', domain: 'mx.provider.example', identity: 'helo', aligned: false },
  dkim: [],
  from: undefined,
  dmarc: { result: 'permerror', policy: 'none', domain: undefined, aligned: { spf: false, dkim: false } },
  arc: { result: 'none', instances: 0, closed: false, undecided: false, sealers: [] },
}

const field = (authentication: Authentication, remoteAddress = '192.0.2.1') =>
  authenticationResultsField('route1.mx.posthorn.test', methodResults(authentication, { remoteAddress }))

test('what was verified stands in the field, each method on a line of its own', () => {
  const verified: Authentication = {
    spf: { result: 'pass', domain: 'provider.example', identity: 'mailfrom', aligned: true },
    dkim: [
      {
        domain: 'provider.example',
        selector: 's1',
        result: 'pass',
        aligned: true,
        coversBody: true,
        algorithm: 'rsa-sha256',
        signature: 'AbCd+/12',
      },
      {
        domain: 'other.example',
        selector: 'k',
        result: 'pass',
        aligned: false,
        coversBody: false,
        algorithm: 'ed25519-sha256',
        signature: 'AAAAAAAA',
      },
    ],
    from: 'provider.example',
    dmarc: {
      result: 'pass',
      policy: 'reject',
      domain: 'provider.example',
      aligned: { spf: true, dkim: true },
    },
    arc: {
      result: 'pass',
      instances: 2,
      closed: false,
      undecided: false,
      sealers: ['a.example', 'b.example'],
    },
  }
  assert.equal(
    field(verified, '2001:db8::1'),
    [
      'Authentication-Results: route1.mx.posthorn.test;',
      ' spf=pass smtp.mailfrom=provider.example;',
      ' dkim=pass header.d=provider.example header.s=s1 header.a=rsa-sha256',
      '  header.b="AbCd+/12";',
      ' dkim=policy (the end of the body is not signed) header.d=other.example',
      '  header.s=k header.a=ed25519-sha256 header.b=AAAAAAAA;',
      ' dmarc=pass (policy=reject) header.from=provider.example policy.dmarc=reject;',
      ' arc=pass (i=2) smtp.remote-ip="2001:db8::1"',
      '',
    ].join('\r\n'),
  )
})

test('what there is not is not claimed', () => {
  assert.equal(
    field(NOTHING),
    [
      'Authentication-Results: route1.mx.posthorn.test;',
      ' spf=none smtp.helo=mx.provider.example;',
      ' dkim=none;',
      ' dmarc=permerror;',
      ' arc=none smtp.remote-ip=192.0.2.1',
      '',
    ].join('\r\n'),
  )
})

test('what a stranger chose stays a value', () => {
  const domain = 'x.example; dkim=pass header.d=bank.example\r\nX: y'
  const written = field({ ...NOTHING, spf: { ...NOTHING.spf, domain } })
  assert.ok(!written.includes('bank.example'))
  const selector = 'a" ; dmarc=pass (\\'
  const signature = {
    domain: 'x.example',
    selector,
    result: 'fail',
    aligned: false,
    coversBody: true,
  } as const
  const quoted = field({ ...NOTHING, dkim: [{ ...signature, algorithm: 'rsa-sha256', signature: 'A' }] })
  assert.ok(quoted.includes('header.s="a\\" ; dmarc=pass (\\\\"'))
})
