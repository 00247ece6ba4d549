import assert from 'node:assert/strict'
import test from 'node:test'
import { foundCache } from './found-cache.ts'

interface Found {
  readonly n: number
}

function world(max = 10) {
  let now = 1_000_000
  let reads = 0
  return {
    cache: foundCache<Found>({ max, clock: () => now }),
    read: async () => ({ n: ++reads }),
    miss: async () => {
      reads += 1
      return undefined
    },
    reads: () => reads,
    pass: (ms: number) => (now += ms),
  }
}

test('what was found is read once in 5 s, however often it is asked for', async () => {
  const { cache, read, pass } = world()
  for (let ms = 0; ms <= 5000; ms += 500) {
    assert.deepEqual(await cache.get('a', read), { n: 1 })
    pass(500)
  }
  assert.deepEqual(await cache.get('a', read), { n: 2 })
})

test('the 5 s begin with the read, not with its answer', async () => {
  const { cache, read, pass } = world()
  const slow = Promise.withResolvers<Found>()
  const first = cache.get('a', () => slow.promise)
  pass(4000)
  slow.resolve({ n: 99 })
  assert.deepEqual(await first, { n: 99 })
  pass(1001)
  assert.deepEqual(await cache.get('a', read), { n: 1 })
})

test('what is not there is read again each time, and shared by those who ask at once', async () => {
  const { cache, miss, reads } = world()
  assert.deepEqual(await Promise.all([cache.get('a', miss), cache.get('a', miss)]), [undefined, undefined])
  assert.equal(reads(), 1)
  assert.equal(await cache.get('a', miss), undefined)
  assert.equal(reads(), 2)
})

test('a failure is told to those who waited for it, and not kept', async () => {
  const { cache, read } = world()
  const fail = () => Promise.reject(new Error('gone'))
  const both = await Promise.allSettled([cache.get('a', fail), cache.get('a', fail)])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await cache.get('a', read), { n: 1 })
})

test('what is forgotten while it is read is not kept', async () => {
  const { cache, read } = world()
  const started = Promise.withResolvers<Found>()
  const early = cache.get('a', () => started.promise)
  cache.forget('a')
  const late = cache.get('a', read)
  started.resolve({ n: 99 })
  assert.deepEqual([await early, await late, await cache.get('a', read)], [{ n: 99 }, { n: 1 }, { n: 1 }])
})

test('no more is kept than was allowed', async () => {
  const { cache, read } = world(2)
  for (const key of ['a', 'b', 'c']) await cache.get(key, read)
  assert.deepEqual(await cache.get('a', read), { n: 4 })
  assert.deepEqual(await cache.get('c', read), { n: 3 })
})
