import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openVerdicts } from './verdicts.ts'

const SOON = 20
const LONG = 60_000

test('promise 5: the first verdict of each delivery is heard, and the wait ends with the last of them', async () => {
  const verdicts = openVerdicts()
  const heard = verdicts.first(['a', 'b'], LONG)
  verdicts.announce('b', 'deferred')
  verdicts.announce('b', 'delivered')
  verdicts.announce('a', 'bounced')
  assert.deepEqual(
    [...(await heard)],
    [
      ['b', 'deferred'],
      ['a', 'bounced'],
    ],
  )
})

test('past the wait, what came is told and the rest is queued', async () => {
  const verdicts = openVerdicts()
  const heard = verdicts.first(['a', 'b'], SOON)
  verdicts.announce('a', 'delivered')
  assert.deepEqual([...(await heard)], [['a', 'delivered']])
  verdicts.announce('b', 'delivered')
})

test('several requests may wait for one delivery, and each has its own patience', async () => {
  const verdicts = openVerdicts()
  const impatient = verdicts.first(['a'], SOON)
  const patient = verdicts.first(['a', 'b'], LONG)
  assert.deepEqual([...(await impatient)], [])
  const late = verdicts.first(['a'], LONG)
  verdicts.announce('a', 'failed')
  assert.deepEqual([...(await late)], [['a', 'failed']])
  verdicts.announce('b', 'delivered')
  assert.equal((await patient).size, 2)
})

test('who names nothing or has no time does not wait', async () => {
  const verdicts = openVerdicts()
  assert.equal((await verdicts.first([], LONG)).size, 0)
  assert.equal((await verdicts.first(['a'], 0)).size, 0)
})

test('the same delivery named twice is waited for once', async () => {
  const verdicts = openVerdicts()
  const heard = verdicts.first(['a', 'a'], LONG)
  verdicts.announce('a', 'delivered')
  assert.equal((await heard).size, 1)
})

test('the number of waiters is bounded: past it one does not wait, and room comes back', async () => {
  const verdicts = openVerdicts()
  const waiting = Array.from({ length: 20_000 }, (_, i) => verdicts.first([`w${i}`], LONG))
  assert.equal((await verdicts.first(['more'], LONG)).size, 0)
  verdicts.announce('w7', 'delivered')
  assert.equal((await waiting[7])?.size, 1)
  const again = verdicts.first(['more'], LONG)
  verdicts.announce('more', 'deferred')
  assert.equal((await again).get('more'), 'deferred')
  for (let i = 0; i < waiting.length; i++) verdicts.announce(`w${i}`, 'delivered')
  await Promise.all(waiting)
})

test('a shutdown keeps nobody waiting, and tells what is known', async () => {
  const verdicts = openVerdicts()
  const waiting = verdicts.first(['a', 'b'], 60_000)
  verdicts.announce('a', 'delivered')
  verdicts.release()
  assert.deepEqual([...(await waiting)], [['a', 'delivered']])
  assert.equal((await verdicts.first(['c'], 60_000)).size, 0)
})
