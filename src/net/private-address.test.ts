import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import test from 'node:test'
import * as fc from 'fast-check'
import { type AddressScope, addressScope, isPublicAddress } from './private-address.ts'

const SCOPES: Record<AddressScope, readonly string[]> = {
  public: [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1b',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '64:ff9b::8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
  ],
  unspecified: ['0.0.0.0', '0.1.2.3', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '::0.0.0.0'],
  loopback: [
    '127.0.0.1',
    '127.1.2.3',
    '127.255.255.255',
    '::1',
    '0:0:0:0:0:0:0:1',
    '0000::0001',
    '::0.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::FFFF:127.0.0.1',
    '0:0:0:0:0:ffff:7f00:0001',
    '64:ff9b::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2002:7f00:1:ffff::1',
  ],
  private: [
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '::ffff:10.0.0.1',
    '::ffff:192.168.1.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::8.8.8.8',
    '2002:a00:1::1',
    '2002:c0a8:101::1',
    'fc00::1',
    'fd00::1',
    'fdff:ffff::',
    'fec0::1',
  ],
  'link-local': [
    '169.254.0.1',
    '169.254.169.254',
    '168.63.129.16',
    'fe80::1',
    'fe80::1%lo',
    'febf::1',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
  ],
  shared: ['100.64.0.0', '100.100.100.200', '100.127.255.255', '::ffff:100.64.0.1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1', '::ffff:224.0.0.1'],
  reserved: [
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.7',
    '240.0.0.1',
    '255.255.255.255',
    '::2',
    '::127.0.0.1', // IPv4-compatible, withdrawn by RFC 4291 §2.5.5.1
    '::8.8.8.8',
    '::ffff:0:127.0.0.1', // IPv4-translated
    '100::1',
    '2001::1', // Teredo
    '2001:0:53aa:64c:0:0:80ff:fffe',
    '2001:10::1',
    '2001:20::1',
    '2001:db8::1',
    '3fff::1',
    '4000::1',
    '5f00::1',
    'e000::1',
  ],
}

for (const [scope, addresses] of Object.entries(SCOPES))
  test(`${scope} addresses are told`, () => {
    for (const address of addresses) assert.equal(addressScope(address), scope, address)
  })

test('spellings that only some libraries take for an address are no address', () => {
  for (const text of [
    '',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '127.1',
    '127.0.1',
    '127.0.0.1.',
    '127.0.0.1 ',
    ' 127.0.0.1',
    '１２７.0.0.1',
    '[::1]',
    'localhost',
    'localhost.',
    '127.0.0.1:80',
    '::1/128',
  ]) {
    assert.equal(addressScope(text), undefined, text)
    assert.equal(isPublicAddress(text), false, text)
  }
})

test('a v4 address keeps its scope in every IPv6 form that carries it', () => {
  fc.assert(
    fc.property(fc.ipV4().filter(isIPv4), (v4) => {
      const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number)
      const high = ((a << 8) | b).toString(16)
      const low = ((c << 8) | d).toString(16)
      const scope = addressScope(v4)
      for (const v6 of [`::ffff:${v4}`, `::ffff:${high}:${low}`, `64:ff9b::${v4}`, `2002:${high}:${low}::9`])
        assert.equal(addressScope(v6), scope, v6)
    }),
  )
})

test('every IPv6 address has a scope, and none outside 2000::/3 that carries no IPv4 address is public', () => {
  fc.assert(
    fc.property(fc.ipV6(), (v6) => {
      const scope = addressScope(v6)
      assert.notEqual(scope, undefined)
      if (scope === 'public') assert.match(v6, /^(2|3|0*64:ff9b:|0*:)/i)
    }),
  )
})
