import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { reversedAddress, reverseName } from './reversed-address.ts'

test('RFC 5782 §2.1 and §2.4: addresses as block lists file them', () => {
  assert.equal(reversedAddress('192.0.2.99'), '99.2.0.192')
  assert.equal(
    reversedAddress('2001:db8:1:2:3:4:567:89ab'),
    'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2',
  )
})

test('one address has one form, however it is written', () => {
  const form = reversedAddress('2001:db8::1')
  for (const same of ['2001:0DB8:0:0:0:0:0:1', '2001:db8:0::0:1', '2001:db8::0.0.0.1', '2001:db8::1%eth0'])
    assert.equal(reversedAddress(same), form)
  for (const same of ['::ffff:192.0.2.99', '::FFFF:c000:263', '0:0:0:0:0:ffff:c000:263'])
    assert.equal(reversedAddress(same), '99.2.0.192')
})

test('RFC 1035 §3.5, RFC 3596 §2.5: the names of PTR records', () => {
  assert.equal(reverseName('10.2.0.52'), '52.0.2.10.in-addr.arpa')
  assert.equal(
    reverseName('4321:0:1:2:3:4:567:89ab'),
    'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa',
  )
  assert.equal(reverseName('::'), `${'0.'.repeat(32)}ip6.arpa`)
})

test('what Node takes for an address has a form, and nothing else has', () => {
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string(),
    fc.stringMatching(/^[0-9a-f:.]{0,24}$/),
    fc.constantFrom('', ':', ':::', '1::2::3', '1.2.3', '256.1.1.1', '::1.2.3.4:5', '1:2:3:4:5:6:7:8:9'),
  )
  fc.assert(
    fc.property(text, (address) => {
      const form = reversedAddress(address)
      // Leading zeros apart, which Node refuses and nobody sends.
      if (isIP(address) !== 0) assert.match(form ?? '', /^(?:\d+\.){3}\d+$|^(?:[0-9a-f]\.){31}[0-9a-f]$/)
      else if (!/(?:^|[.:])0\d/.test(address) && !address.includes('%')) assert.equal(form, undefined)
    }),
    { numRuns: 2000 },
  )
})
