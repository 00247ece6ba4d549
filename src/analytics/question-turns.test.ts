import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTurns } from './question-turns.ts'

test('one question of a line at a time, in their order, and of another beside it', async () => {
  const turns = openTurns({ limitMs: 1000, clock: () => 0 })
  const told: string[] = []
  const slow = Promise.withResolvers<void>()
  const first = turns.take('a', async () => {
    await slow.promise
    told.push('first')
  })
  const second = turns.take('a', async () => void told.push('second'))
  await turns.take('b', async () => void told.push('other'))
  slow.resolve()
  await Promise.all([first, second])
  assert.deepEqual(told, ['other', 'first', 'second'])
})

test('a full line is busy, and one that failed holds nobody back', async () => {
  const turns = openTurns({ limitMs: 1000, clock: () => 0 })
  const asked = Array.from({ length: 40 }, (_, index) =>
    turns.take('a', async () => {
      if (index === 0) throw new Error('broken')
      return index
    }),
  )
  const [broken, ...answers] = await Promise.allSettled(asked)
  assert.equal(broken?.status, 'rejected')
  const values = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason))
  assert.deepEqual(
    values.slice(0, 31),
    Array.from({ length: 31 }, (_, index) => index + 1),
  )
  assert.deepEqual(new Set(values.slice(31)), new Set(['busy']))
  assert.equal(await turns.take('a', async () => 'again'), 'again')
})

test('who waited for too long is not begun any more', async () => {
  let now = 0
  const turns = openTurns({ limitMs: 1000, clock: () => now })
  const slow = Promise.withResolvers<void>()
  const first = turns.take('a', () => slow.promise)
  let began = false
  const second = turns.take('a', async () => {
    began = true
  })
  now = 1001
  slow.resolve()
  await first
  assert.equal(await second, 'busy')
  assert.equal(began, false)
})
