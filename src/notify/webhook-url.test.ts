import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressScope, isPublicAddress } from '#net/private-address.ts'
import { readWebhookUrl } from './webhook-url.ts'

const production = { mayDial: isPublicAddress, plainHttp: false }
const development = {
  mayDial: (address: string) => addressScope(address) === 'loopback',
  plainHttp: true,
}

test('a URL is taken apart as it will be used', () => {
  assert.deepEqual(readWebhookUrl('https://Example.COM./hooks/mail?a=b#c', production), {
    ...{ isPlain: false, host: 'example.com', port: 443, path: '/hooks/mail?a=b' },
  })
  assert.deepEqual(readWebhookUrl('https://[2606:4700::1]:8443', production), {
    ...{ isPlain: false, host: '2606:4700::1', port: 8443, path: '/' },
  })
  assert.deepEqual(readWebhookUrl('http://localhost:3000/hook', development), {
    ...{ isPlain: true, host: 'localhost', port: 3000, path: '/hook' },
  })
})

const REFUSED = [
  ...['', 'x', 'https://', '//x.example/', 'ftp://x.example/', 'javascript:1', 'file:///etc/passwd'],
  ...[
    'http://x.example/',
    'https://user@x.example/',
    'https://:secret@x.example/',
    'https://x.example:99999/',
  ],
  ...['https://x.example:25/', 'https://x.example:22/', 'https://x.example:80/'],
  `https://x.example/${'a'.repeat(2048)}`,
  // All of them read as another URL than they look like, or make a second line of somebody's log.
  ...['https://x.example/\r\nX: y', 'https://x.ex\nample/', ' https://x.example/', 'https://x.example/a b'],
  ...['https://x.example/\u202egpj.exe', 'https://x.example/\u0085'],
  ...['localhost', 'a.localhost', '127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '127.1', '0', '[::]'],
  ...['[::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', '[fd00::1]', '[fe80::1]', '10.0.0.1', '172.16.0.1'],
  ...[
    '192.168.1.1',
    '169.254.169.254',
    '100.100.100.200',
    '\uff11\uff12\uff17.0.0.1',
    '127\u30020\u30020\u30021',
  ],
].map((text) =>
  /[/:]/.test(text.replace(/^\[.*\]$/, '')) || text === '' || text === 'x' ? text : `https://${text}/`,
)

for (const url of REFUSED)
  test(`refused: ${url.slice(0, 60)}`, () => {
    assert.ok('detail' in readWebhookUrl(url, production))
  })

test('plain HTTP is for development, and leads to this machine alone', () => {
  assert.ok('host' in readWebhookUrl('http://127.0.0.1:1234/', development))
  assert.ok('detail' in readWebhookUrl('http://192.168.1.1/', development))
  assert.ok('detail' in readWebhookUrl('http://127.0.0.1:1234/', { ...development, plainHttp: false }))
})

test('whatever somebody writes is read or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webUrl({ validSchemes: ['https'] })), (text) => {
      const read = readWebhookUrl(text, production)
      if ('detail' in read) assert.match(read.detail, /\.$/)
      else assert.ok(text.toLowerCase().trim().startsWith('https:') && read.path.startsWith('/'))
    }),
  )
})
