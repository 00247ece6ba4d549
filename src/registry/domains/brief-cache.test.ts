import assert from 'node:assert/strict'
import test from 'node:test'
import { briefCache } from './brief-cache.ts'

function world(max = 10) {
  let now = 1_000_000
  let reads = 0
  const cache = briefCache<number>({ max, clock: () => now })
  return { cache, read: async () => ++reads, pass: (ms: number) => (now += ms) }
}

test('an answer is read once in 5 s, however often it is asked for', async () => {
  const { cache, read, pass } = world()
  for (let ms = 0; ms <= 5000; ms += 500) {
    assert.equal(await cache.get('a', read), 1)
    pass(500)
  }
  assert.equal(await cache.get('a', read), 2)
})

test('those who ask at the same time share one read', async () => {
  const { cache, read } = world()
  assert.deepEqual(
    await Promise.all([cache.get('a', read), cache.get('a', read), cache.get('b', read)]),
    [1, 1, 2],
  )
})

test('a failure is told to those who waited for it, and not kept', async () => {
  const { cache, read } = world()
  const fail = () => Promise.reject(new Error('gone'))
  const both = await Promise.allSettled([cache.get('a', fail), cache.get('a', fail)])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(await cache.get('a', read), 1)
})

test('what is forgotten while it is read is not kept', async () => {
  const { cache, read } = world()
  const started = Promise.withResolvers<number>()
  const early = cache.get('a', () => started.promise)
  cache.forget('a')
  const late = cache.get('a', read)
  started.resolve(99)
  assert.deepEqual([await early, await late, await cache.get('a', read)], [99, 1, 1])
})

test('no more is kept than was allowed', async () => {
  const { cache, read } = world(2)
  for (const key of ['a', 'b', 'c']) await cache.get(key, read)
  assert.equal(await cache.get('a', read), 4)
  assert.equal(await cache.get('c', read), 3)
})
