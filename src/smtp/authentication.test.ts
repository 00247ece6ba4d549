import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { beginAuth, continueAuth } from './authentication.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const malformed = { kind: 'malformed' }

test('PLAIN takes one response, with the command or after a challenge (RFC 4616, RFC 4954 §4)', () => {
  const credentials = { kind: 'credentials', username: 'api_token', password: 'päss word' }
  assert.deepEqual(beginAuth(`PLAIN ${base64('\0api_token\0päss word')}`), credentials)
  assert.deepEqual(beginAuth(`plain ${base64('api_token\0api_token\0päss word')}`), credentials)
  const challenge = beginAuth('PLAIN')
  assert.ok(challenge?.kind === 'challenge')
  assert.equal(challenge.text, '')
  assert.deepEqual(continueAuth(challenge.exchange, base64('\0api_token\0päss word')), credentials)
})

test('LOGIN asks for a name and a password', () => {
  const first = beginAuth('LOGIN')
  assert.ok(first?.kind === 'challenge')
  assert.equal(Buffer.from(first.text, 'base64').toString(), 'Username:')
  const second = continueAuth(first.exchange, base64('user'))
  assert.ok(second.kind === 'challenge')
  assert.equal(Buffer.from(second.text, 'base64').toString(), 'Password:')
  assert.deepEqual(continueAuth(second.exchange, base64('pass')), {
    kind: 'credentials',
    username: 'user',
    password: 'pass',
  })
})

test('what is not base64, not UTF-8, or has a NUL too many or too few is malformed', () => {
  const plain = (bytes: Buffer) => beginAuth(`PLAIN ${bytes.toString('base64')}`)
  assert.deepEqual(beginAuth('PLAIN !!!!'), malformed)
  assert.deepEqual(beginAuth('PLAIN AHVzZXIAcGFzcw'), malformed, 'padding is missing')
  assert.deepEqual(beginAuth('PLAIN AHVzZXIAcGFzcw== x'), malformed)
  assert.deepEqual(beginAuth('PLAIN ='), malformed)
  assert.deepEqual(plain(Buffer.from('user\0pass')), malformed)
  assert.deepEqual(plain(Buffer.from('\0user\0pass\0')), malformed)
  assert.deepEqual(plain(Buffer.from('\0user\0\xff', 'latin1')), malformed)
  assert.deepEqual(plain(Buffer.from('somebody\0user\0pass')), malformed, 'nobody acts for another')
  assert.deepEqual(continueAuth({ mechanism: 'LOGIN' }, base64('us\0er')), malformed)
  assert.equal(beginAuth('CRAM-MD5'), undefined)
  assert.deepEqual(continueAuth({ mechanism: 'LOGIN' }, '*'), { kind: 'cancelled' })
})

test('no response throws', () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), (text, encode) => {
      const response = encode ? base64(text) : text
      assert.ok(continueAuth({ mechanism: 'PLAIN' }, response))
      assert.ok(continueAuth({ mechanism: 'LOGIN', username: 'u' }, response))
    }),
  )
})
