import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { addressKey, addressRange } from './address-range.ts'

const V4 = '00000000000000000000ffff'
for (const [text, low, high] of [
  ['192.0.2.1', `${V4}c0000201`, `${V4}c0000201`],
  ['192.0.2.9/24', `${V4}c0000200`, `${V4}c00002ff`],
  ['0.0.0.0/0', `${V4}00000000`, `${V4}ffffffff`],
  ['2001:DB8::/32', `20010db8${'0'.repeat(24)}`, `20010db8${'f'.repeat(24)}`],
  ['::1', `${'0'.repeat(31)}1`, `${'0'.repeat(31)}1`],
  ['::ffff:192.0.2.1', `${V4}c0000201`, `${V4}c0000201`],
  ['::/0', '0'.repeat(32), 'f'.repeat(32)],
  ['fe80::1%eth0', `fe80${'0'.repeat(27)}1`, `fe80${'0'.repeat(27)}1`],
] as const)
  test(`${text} is a range`, () => assert.deepEqual(addressRange(text), { low, high }))

for (const text of [
  '',
  'x',
  '1.2.3',
  '1.2.3.4/33',
  '::/129',
  '1.2.3.4/',
  '1.2.3.4/8/8',
  '1.2.3.4/-1',
  '/8',
  '01.2.3.4',
])
  test(`"${text}" is none`, () => assert.equal(addressRange(text), undefined))

test('a range holds the addresses that Node says it holds, however they are written', () => {
  const v4 = fc.ipV4()
  const v6 = fc.ipV6()
  fc.assert(
    fc.property(fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6)), fc.nat(128), ([network, address], many) => {
      const family = isIP(network) === 4 ? 'ipv4' : 'ipv6'
      const bits = many % (family === 'ipv4' ? 33 : 129)
      const list = new BlockList()
      list.addSubnet(network, bits, family)
      const range = addressRange(`${network}/${bits}`)
      const key = addressKey(address)
      assert.ok(range && key !== undefined && /^[0-9a-f]{32}$/.test(key), address)
      assert.equal(
        key >= range.low && key <= range.high,
        list.check(address, family),
        `${network}/${bits} ${address}`,
      )
    }),
    { numRuns: 500 },
  )
})
