import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { openLaneRests } from './lane-rests.ts'

const LANE = { accountId: 'a', recipientDomain: 'one.example' }
const OTHER = { accountId: 'b', recipientDomain: 'one.example' }

// It looks into nothing else.
const delivery = (more: Partial<ClaimedDelivery>, { accountId, recipientDomain } = LANE) =>
  ({ message: { accountId }, recipientDomain, probe: false, ...more }) as ClaimedDelivery
const content = Buffer.from('promised a moment ago')

function start() {
  const time = { now: 0 }
  return { time, rests: openLaneRests(() => time.now) }
}

test('a lane that rests takes nothing in, until a little before the store has it due', () => {
  const { time, rests } = start()
  rests.last(LANE, 100_000)
  assert.deepEqual([rests.has(LANE), rests.full(LANE)], [true, true])
  assert.deepEqual([rests.has(OTHER), rests.full(OTHER)], [false, false])
  time.now = 89_999
  assert.equal(rests.full(LANE), true)
  time.now = 90_001
  assert.deepEqual([rests.has(LANE), rests.full(LANE)], [true, false])
})

test('what was under way to it then is early, but for the probe', () => {
  const { rests } = start()
  rests.begin(LANE)
  assert.equal(rests.isEarly(delivery({ content })), true)
  assert.equal(rests.isEarly(delivery({})), true)
  assert.equal(rests.isEarly(delivery({ probe: true })), false)
  assert.equal(rests.isEarly(delivery({ content }, OTHER)), false)
})

test('near its end what is promised is early still, and what the store hands out is not', () => {
  const { time, rests } = start()
  rests.last(LANE, 100_000)
  time.now = 95_000
  assert.equal(rests.isEarly(delivery({ content })), true)
  assert.equal(rests.isEarly(delivery({})), false)
})

test('a lane whose host answered, or that an operator wants tried, rests no more', () => {
  const { rests } = start()
  rests.last(LANE, 100_000)
  assert.equal(rests.end(LANE), true)
  assert.equal(rests.end(LANE), false)
  assert.deepEqual(
    [rests.has(LANE), rests.full(LANE), rests.isEarly(delivery({ content }))],
    [false, false, false],
  )
})
