import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, readConfig } from './config.ts'
import { parseSmarthostUrl, type SmarthostUrl } from './smarthost-url.ts'

const READ: Record<string, SmarthostUrl> = {
  'smtps://relay.example.com': { host: 'relay.example.com', port: 465, tls: 'implicit' },
  'smtp://Relay.Example.com': { host: 'relay.example.com', port: 587, tls: 'starttls' },
  'smtp+clear://relay': { host: 'relay', port: 25, tls: 'none' },
  'smtp+clear://127.0.0.1:1025/': { host: '127.0.0.1', port: 1025, tls: 'none' },
  'smtps://[2606:4700::1]:2525': { host: '2606:4700::1', port: 2525, tls: 'implicit' },
  'smtps://us@relay.example.com': { host: 'relay.example.com', port: 465, tls: 'implicit', username: 'us' },
  'smtp://a%40b.example:p%3Aw%2F%25@relay.example.com:25': {
    host: 'relay.example.com',
    port: 25,
    tls: 'starttls',
    username: 'a@b.example',
    password: 'p:w/%',
  },
}

const NONE = [
  ...[
    '',
    'relay.example.com',
    'relay.example.com:587',
    'http://relay.example.com',
    'smtps:relay',
    'smtps://',
  ],
  ...[
    'smtps://:p@relay',
    'smtps://relay:0',
    'smtps://relay:65536',
    'smtps://relay/path',
    'smtps://relay?x=y',
  ],
  ...['smtps://relay#x', 'smtps://u:a%zz@relay', 'smtps://u:a%00b@relay', 'smtps://u:a%0d%0ab@relay'],
  ...[
    'smtps://-relay',
    'smtps://relay%2e',
    'smtps://[::1',
    'toString://relay',
    'smtps://b\u00fccher.example',
  ],
]

test('the forms of POSTHORN_SMARTHOST', () => {
  for (const [text, setting] of Object.entries(READ)) assert.deepEqual(parseSmarthostUrl(text), setting, text)
  for (const text of NONE) assert.equal(parseSmarthostUrl(text), undefined, text)
})

test('any user and password that are percent-encoded come back as they were', () => {
  const text = fc.string({ unit: 'binary', minLength: 1 }).filter((made) => !/\p{Cc}/u.test(made))
  fc.assert(
    fc.property(text, text, (username, password) => {
      const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`
      const read = parseSmarthostUrl(`smtps://${login}@relay.example.com`)
      assert.deepEqual([read?.username, read?.password], [username, password])
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (made) => void parseSmarthostUrl(`smtp://${made}`)))
})

test('the settings of a smarthost belong together, and no error shows a password', () => {
  const read = (environment: Record<string, string>) =>
    readConfig(environment, (sentence) => assert.fail(sentence))
  const config = read({
    POSTHORN_SMARTHOST: 'smtps://us@relay.example.com',
    POSTHORN_SMARTHOST_PASSWORD_FILE: '/run/secrets/relay',
    POSTHORN_SMARTHOST_SPF: 'include:spf.provider.example, ip4:192.0.2.0/24',
  })
  assert.equal(config.SMARTHOST?.username, 'us')
  assert.deepEqual(config.SMARTHOST_SPF, ['include:spf.provider.example', 'ip4:192.0.2.0/24'])
  assert.equal(read({}).SMARTHOST, undefined)
  const wrong: Record<string, Record<string, string>> = {
    'POSTHORN_SMARTHOST: ': { POSTHORN_SMARTHOST: 'smtps://us:hidden@relay/x' },
    'POSTHORN_SMARTHOST_PASSWORD_FILE: .*password of': { POSTHORN_SMARTHOST: 'smtps://us@relay' },
    'POSTHORN_SMARTHOST_PASSWORD_FILE: .*already': {
      POSTHORN_SMARTHOST: 'smtps://us:hidden@relay',
      POSTHORN_SMARTHOST_PASSWORD_FILE: 'x',
    },
    'POSTHORN_SMARTHOST_PASSWORD_FILE: .*user': {
      POSTHORN_SMARTHOST: 'smtps://relay',
      POSTHORN_SMARTHOST_PASSWORD_FILE: 'x',
    },
    'POSTHORN_SMARTHOST_SPF: ': { POSTHORN_SMARTHOST_SPF: 'v=spf1 include:x.example -all' },
  }
  for (const [message, environment] of Object.entries(wrong)) {
    assert.throws(
      () => read(environment),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, new RegExp(message))
        assert.doesNotMatch(error.message, /hidden/)
        return true
      },
    )
  }
})
