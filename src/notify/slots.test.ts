import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { openSlots } from './slots.ts'

const never = new AbortController().signal

test('who waits gets what is free, in turn, and no key more than its share', async () => {
  const slots = openSlots({ perKey: 1, total: 2 })
  const started: string[] = []
  const frees = new Map<string, () => void>()
  const want = (key: string, name: string, signal = never) =>
    void (async () => {
      const free = await slots.take(key, signal)
      if (!free) return
      started.push(name)
      frees.set(name, free)
    })()
  const aborted = new AbortController()
  want('a', 'a1')
  want('a', 'a2')
  want('b', 'b1')
  want('c', 'c1', aborted.signal)
  want('c', 'c2')
  await turn()
  assert.deepEqual(started, ['a1', 'b1'])
  aborted.abort()
  frees.get('b1')?.()
  await turn()
  // a2 came before, but its key is full.
  assert.deepEqual(started, ['a1', 'b1', 'c2'])
  frees.get('a1')?.()
  await turn()
  assert.deepEqual(started, ['a1', 'b1', 'c2', 'a2'])
  assert.equal(await slots.take('d', aborted.signal), undefined)
  assert.equal(slots.tryTake('d'), undefined)
  frees.get('c2')?.()
  assert.equal(slots.tryTake('a'), undefined)
  slots.tryTake('d')?.()
  assert.ok(slots.tryTake('d'))
})

test('however they come and go, the limits hold, and everybody has a turn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 }), async (keys) => {
      const slots = openSlots({ perKey: 2, total: 5 })
      const running = new Map<string, number>()
      let total = 0
      await Promise.all(
        keys.map(async (key) => {
          const free = await slots.take(key, never)
          assert.ok(free)
          total += 1
          running.set(key, (running.get(key) ?? 0) + 1)
          assert.ok(total <= 5 && (running.get(key) ?? 0) <= 2)
          await turn()
          total -= 1
          running.set(key, (running.get(key) ?? 0) - 1)
          free()
        }),
      )
      assert.equal(total, 0)
    }),
    { numRuns: 50 },
  )
})
