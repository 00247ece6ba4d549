import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKvFault, type KvWish, readKvWrite } from './kv-write.ts'

const NOW = 1_800_000_000_500
const read = (wish: Partial<KvWish>) => readKvWrite({ key: 'k', value: Buffer.from('v'), ...wish }, NOW)

test('an expiry is at least a minute ahead; the time to live counts before it', () => {
  const at = (wish: Partial<KvWish>) => {
    const write = read(wish)
    return isKvFault(write) ? write.field : write.expiresAt
  }
  assert.equal(at({}), null)
  assert.equal(at({ expirationTtl: 60 }), 1_800_000_060_000)
  assert.equal(at({ expiration: 1_800_000_060 }), 1_800_000_060_000)
  assert.equal(at({ expiration: 1, expirationTtl: 60 }), 1_800_000_060_000)
  for (const expirationTtl of [59, 60.5, -1, 0, Number.NaN, 1e15])
    assert.equal(at({ expirationTtl }), 'expiration_ttl')
  for (const expiration of [1_800_000_059, 1_800_000_060.5, 1e15])
    assert.equal(at({ expiration }), 'expiration')
})

test('metadata are any JSON of up to 1024 octets, values up to 25 MiB', () => {
  const ok = read({ metadata: 'é'.repeat(511) })
  assert.ok(!isKvFault(ok))
  assert.equal(ok.metadata, JSON.stringify('é'.repeat(511)))
  const long = read({ metadata: 'é'.repeat(512) })
  assert.ok(isKvFault(long) && long.field === 'metadata')
  assert.ok(!isKvFault(read({ value: new Uint8Array(25 * 1_048_576) })))
  const large = read({ value: new Uint8Array(25 * 1_048_576 + 1) })
  assert.ok(isKvFault(large) && large.field === 'value')
  const key = read({ key: '' })
  assert.ok(isKvFault(key) && key.field === 'key')
})
