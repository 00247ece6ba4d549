import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { test } from 'node:test'
import { guard as guardRequest } from './guard.ts'

function guard(method: string, headers: IncomingHttpHeaders, allowed: readonly string[], url = '/') {
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
  return guardRequest({ method, url, headers, rawHeaders }, allowed)
}

const loopback = ['localhost', 'localhost:8025', '127.0.0.1:8025', '127.8.9.1', '[::1]:8025', 'LOCALHOST:1']

test('Host: loopback in every spelling is answered', () => {
  for (const host of loopback) assert.equal(guard('GET', { host }, []), undefined, host)
})

test('Host: a name that rebinds to loopback is misdirected', () => {
  for (const host of [
    'evil.example',
    'evil.example:8025',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '',
    '10.0.0.1',
    'localhost@evil.example',
    '[::1].evil',
    '127.0.0.1:8025:1',
    '0.0.0.0',
  ]) {
    assert.equal(guard('GET', { host }, [])?.reason, 'misdirected', host)
  }
  assert.equal(guard('GET', {}, [])?.reason, 'misdirected')
})

test('Host: a configured name is answered, its neighbours are not', () => {
  assert.equal(guard('GET', { host: 'mail.example:8025' }, ['mail.example']), undefined)
  assert.equal(guard('GET', { host: 'www.mail.example' }, ['mail.example'])?.reason, 'misdirected')
})

test('unsafe methods refuse a foreign Origin or Sec-Fetch-Site', () => {
  const host = 'localhost:8025'
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    assert.equal(guard(method, { host, origin: 'https://evil.example' }, [])?.reason, 'foreignOrigin')
    assert.equal(guard(method, { host, origin: 'null' }, [])?.reason, 'foreignOrigin')
    assert.equal(guard(method, { host, origin: 'http://localhost:9' }, [])?.reason, 'foreignOrigin')
    assert.equal(guard(method, { host, 'sec-fetch-site': 'cross-site' }, [])?.reason, 'foreignOrigin')
    assert.equal(guard(method, { host, 'sec-fetch-site': 'same-site' }, [])?.reason, 'foreignOrigin')
    assert.equal(
      guard(method, { host, origin: 'http://localhost:8025', 'sec-fetch-site': 'same-origin' }, []),
      undefined,
    )
    assert.equal(guard(method, { host }, []), undefined)
  }
  assert.equal(
    guard('GET', { host, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, []),
    undefined,
  )
})

test('RFC 9112 §3.2: a target in absolute form and a second Host are misdirected', () => {
  const headers = { host: 'localhost' }
  assert.equal(guard('GET', headers, [], 'http://evil.example/api/v1/messages')?.reason, 'misdirected')
  const twice = {
    method: 'GET',
    url: '/',
    headers,
    rawHeaders: ['Host', 'localhost', 'HOST', 'evil.example'],
  }
  assert.equal(guardRequest(twice, [])?.reason, 'misdirected')
})
