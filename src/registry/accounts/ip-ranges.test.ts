import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { allowsAddress, isIpRange } from './ip-ranges.ts'

test('addresses and CIDR ranges are ranges, and nothing else is', () => {
  for (const text of [
    '192.0.2.1',
    '192.0.2.0/24',
    '0.0.0.0/0',
    '2001:db8::/32',
    '::1',
    '::/0',
    '10.0.0.1/32',
  ])
    assert.equal(isIpRange(text), true, text)
  for (const text of ['', '/', '192.0.2.0/33', '::/129', '192.0.2/24', '1.2.3.4/', '1.2.3.4/a', '1.2.3.4/-1'])
    assert.equal(isIpRange(text), false, text)
  for (const text of ['::ffff:192.0.2.1', '::ffff:192.0.2.0/120', '0:0:0:0:0:FFFF:c000:201'])
    assert.equal(isIpRange(text), false, text)
  for (const text of ['fe80::1%eth0', 'localhost', '1.2.3.4/8/8', ' 1.2.3.4', '01.2.3.4', '1.2.3.4/+8'])
    assert.equal(isIpRange(text), false, text)
})

test('an address must be in what is given and in nothing that is taken out', () => {
  const ranges = { in: ['192.0.2.0/24', '2001:db8::/32'], not_in: ['192.0.2.7', '2001:db8:dead::/48'] }
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '2001:0DB8::1'])
    assert.equal(allowsAddress(ranges, address), true, address)
  for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '192.0.3.1', '2001:db8:dead::1', '::1', '', 'x'])
    assert.equal(allowsAddress(ranges, address), false, address)
  assert.equal(allowsAddress({ not_in: ['::1'] }, '127.0.0.1'), true)
  assert.equal(allowsAddress({ not_in: ['::1'] }, '0:0:0:0:0:0:0:1'), false)
})

test('an address that nobody knows is never allowed', () => {
  assert.equal(allowsAddress({ not_in: ['192.0.2.1'] }, undefined), false)
  assert.equal(allowsAddress({ in: ['0.0.0.0/0', '::/0'] }, undefined), false)
})

test('whatever is called a range can be asked about', () => {
  const text = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV6(),
    fc.tuple(fc.ipV4(), fc.nat(200)).map((pair) => pair.join('/')),
  )
  fc.assert(
    fc.property(text, fc.ipV4(), (range, address) => {
      if (isIpRange(range)) {
        const inside = allowsAddress({ in: [range] }, address)
        assert.equal(allowsAddress({ not_in: [range] }, address), !inside)
      }
    }),
  )
})
