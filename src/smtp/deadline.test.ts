import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Deadline } from './deadline.ts'

test('a deadline expires once, at the last time it was set to', async () => {
  const begun = performance.now()
  const waits: number[] = []
  const deadline = new Deadline(() => waits.push(performance.now() - begun))
  deadline.set(1000)
  deadline.set(20)
  deadline.set(60)
  await sleep(250)
  assert.equal(waits.length, 1)
  assert.ok((waits[0] ?? 0) >= 59)
  deadline.set(20)
  await sleep(100)
  assert.equal(waits.length, 2)
})

test('a deadline that was cleared or disposed of does not expire', async () => {
  const deadline = new Deadline(() => assert.fail('it expired'))
  deadline.set(20)
  deadline.clear()
  await sleep(60)
  deadline.set(20)
  deadline.dispose()
  await sleep(60)
})
