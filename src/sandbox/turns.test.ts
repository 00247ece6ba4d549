import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTurns } from './turns.ts'

test('so many run at once, so many wait in order, the rest is busy', async () => {
  const turns = openTurns({ atOnce: 2, waiting: 2 })
  const gates = [1, 2, 3, 4].map(() => Promise.withResolvers<void>())
  const started: number[] = []
  const results = gates.map((gate, i) =>
    turns.take(async () => {
      started.push(i)
      await gate.promise
      return i
    }),
  )
  assert.equal(await turns.take(async () => 5), 'busy')
  assert.deepEqual(started, [0, 1])
  gates[1]?.resolve()
  assert.equal(await results[1], 1)
  for (const gate of gates) gate.resolve()
  assert.deepEqual(await Promise.all(results), [0, 1, 2, 3])
  assert.deepEqual(started, [0, 1, 2, 3])
  assert.equal(await turns.take(async () => 6), 6)
})

test('who has gone is never started, and makes room', async () => {
  const turns = openTurns({ atOnce: 1, waiting: 1 })
  const gate = Promise.withResolvers<void>()
  const running = turns.take(() => gate.promise)
  const gone = new AbortController()
  const dropped = turns.take(async () => assert.fail('it ran'), gone.signal)
  gone.abort(new Error('gone'))
  await assert.rejects(dropped, /gone/)
  const next = turns.take(async () => 'next', new AbortController().signal)
  gate.resolve()
  await running
  assert.equal(await next, 'next')
  await assert.rejects(
    turns.take(async () => 'never', gone.signal),
    /gone/,
  )
})

test('a task that fails ends its own turn alone', async () => {
  const turns = openTurns({ atOnce: 1, waiting: 1 })
  const broken = turns.take(() => Promise.reject(new Error('disk')))
  const next = turns.take(async () => 'fine')
  await assert.rejects(broken, /disk/)
  assert.equal(await next, 'fine')
})
