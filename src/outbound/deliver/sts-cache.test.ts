import assert from 'node:assert/strict'
import { onBothEngines } from '#test/stores.ts'
import { type CachedPolicy, openStsCache } from './sts-cache.ts'

const NOW = 1_800_000_000_000

const policy = (overrides: Partial<CachedPolicy> = {}): CachedPolicy => ({
  domain: 'to.example',
  id: '20260101',
  mode: 'enforce',
  mx: ['mx1.to.example', '*.mx.to.example'],
  fetchedAt: NOW,
  expiresAt: NOW + 31_557_600_000,
  ...overrides,
})

onBothEngines('a policy is found again after a restart, as long as it lasts', async (_, open) => {
  await openStsCache(open.store).keep(policy())
  const cache = openStsCache(await open.reopen())
  assert.deepEqual(await cache.find('to.example', NOW), policy())
  assert.deepEqual(await cache.find('to.example', policy().expiresAt - 1), policy())
  assert.equal(await cache.find('to.example', policy().expiresAt), undefined)
  assert.equal(await cache.find('other.example', NOW), undefined)
})

onBothEngines(
  'what was fetched later takes its place, and what was fetched before does not',
  async (_, open) => {
    const cache = openStsCache(open.store)
    await cache.keep(policy())
    const later = policy({ id: 'b', mode: 'none', mx: [], fetchedAt: NOW + 1, expiresAt: NOW + 60_000 })
    await cache.keep(later)
    await cache.keep(policy({ mode: 'testing' }))
    assert.deepEqual(await cache.find('to.example', NOW), later)
    // A clock that was set back does not keep what has ended.
    const after = policy({ id: 'c', fetchedAt: NOW - 5, expiresAt: NOW + 5 })
    await cache.keep(policy({ domain: 'past.example', fetchedAt: NOW, expiresAt: NOW - 5 }))
    await cache.keep({ ...after, domain: 'past.example' })
    assert.equal((await cache.find('past.example', NOW))?.id, 'c')
  },
)

onBothEngines('the sweep deletes what has expired and nothing else', async (_, open) => {
  const cache = openStsCache(open.store)
  await cache.keep(policy({ domain: 'a.example', expiresAt: NOW + 1 }))
  await cache.keep(policy({ domain: 'b.example', expiresAt: NOW + 2 }))
  assert.equal(await cache.sweep(NOW), 0)
  assert.equal(await cache.sweep(NOW + 1), 1)
  assert.equal(await cache.find('a.example', NOW), undefined)
  assert.equal((await cache.find('b.example', NOW))?.domain, 'b.example')
})
