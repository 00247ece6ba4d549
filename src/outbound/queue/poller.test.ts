import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLog } from '#observe/log.ts'
import { until } from '#test/outbound.ts'
import { openPoller } from './poller.ts'

const log = openLog('silent')

test('polls by itself each second, and does so after a failure too', async (t) => {
  let polls = 0
  const poller = openPoller({
    poll: async () => {
      polls++
      if (polls === 1) throw new Error('the store is away')
    },
    now: Date.now,
    log,
  })
  t.after(() => poller.stop())
  poller.wake()
  await until('a second poll', () => polls >= 2)
})

test('a wake-up during a poll is kept for the next one, and two polls never overlap', async (t) => {
  let polls = 0
  let running = 0
  let finish = () => {}
  const poller = openPoller({
    poll: async () => {
      running++
      polls++
      assert.equal(running, 1)
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      running--
    },
    now: () => 0,
    log,
  })
  t.after(() => poller.stop())
  poller.wake()
  await until('the first', () => polls >= 1)
  poller.wake(500)
  poller.wake()
  poller.wake(900)
  finish()
  await until('the second', () => polls >= 2)
  finish()
})

test('a wish for later than the poll that is set already is kept too', async (t) => {
  const polls: number[] = []
  const poller = openPoller({ poll: async () => void polls.push(0), now: Date.now, log })
  t.after(() => poller.stop())
  poller.wake()
  poller.wake(Date.now() + 60)
  const second = until('the second', () => polls.length >= 2)
  const idle = sleep(900).then(() => 'the poll of each second')
  assert.equal(await Promise.race([second.then(() => 'soon'), idle]), 'soon')
})

test('a clock that steps back an hour does not put off the next poll', async (t) => {
  let now = 3_600_000
  let polls = 0
  const poller = openPoller({
    poll: async () => {
      polls++
    },
    now: () => now,
    log,
  })
  t.after(() => poller.stop())
  poller.wake()
  await until('the first', () => polls >= 1)
  now = 0
  poller.wake(1)
  await until('the second', () => polls >= 2)
})

test('after stop nothing is polled, and a poll in progress is waited for', async (t) => {
  let ended = false
  let polls = 0
  const poller = openPoller({
    poll: async () => {
      polls++
      await sleep(50)
      ended = true
    },
    now: Date.now,
    log,
  })
  t.after(() => poller.stop())
  poller.wake()
  await until('a poll', () => polls >= 1)
  await poller.stop()
  assert.equal(ended, true)
  poller.wake()
  await sleep(50)
  assert.equal(polls, 1)
})
