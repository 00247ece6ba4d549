import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { holdDeliveries } from './held-deliveries.ts'

let serial = 0
function delivery(recipientDomain: string, content?: Buffer): ClaimedDelivery {
  const message = { accountId: 'a' }
  const id = String(serial++)
  // What is held is counted by id, claim and lane alone.
  return { id, claimToken: 't', message, recipientDomain, ...(content && { content }) } as ClaimedDelivery
}
const lane = (recipientDomain: string) => ({ accountId: 'a', recipientDomain })

function start() {
  const woken = { times: 0 }
  const held = holdDeliveries(
    () => 0,
    () => {
      woken.times++
    },
  )
  return { held, woken }
}

test('promise 4: no number of lanes that do not move leaves nothing for the next', () => {
  const { held } = start()
  for (let i = 0; i < 3000; i++) {
    const room = held.room(lane(`slow${i}.example`))
    assert.ok(room > 0 && room <= 50, `lane ${i}: ${room}`)
    for (let n = 0; n < room; n++) held.hold(delivery(`slow${i}.example`))
    assert.equal(held.room(lane(`slow${i}.example`)), 0)
  }
  for (let i = 0; i < 100; i++) held.room(lane('slow0.example'))
  assert.ok(held.room(lane('quick.example')) > 0)
})

test('a lane that moves gets more and more, up to a bound', () => {
  const { held } = start()
  const taken = [held.hold(delivery('one.example'))]
  const rooms: number[] = []
  for (let round = 0; round < 12; round++) {
    rooms.push(held.room(lane('one.example')) + taken.length)
    while (held.room(lane('one.example')) > 0) taken.push(held.hold(delivery('one.example')))
    for (const each of taken.splice(1)) held.release(each)
  }
  assert.deepEqual(rooms.slice(0, 4), [50, 99, 197, 393])
  assert.equal(rooms.at(-1), 500)
})

test('contents are kept up to a bound of octets, then read back', () => {
  const { held } = start()
  const content = Buffer.alloc(10 * 1024 * 1024)
  const taken = Array.from({ length: 20 }, () => held.hold(delivery('one.example', Buffer.from(content))))
  const kept = taken.filter((each) => each.content !== undefined)
  assert.equal(kept.length, 12)
  for (const each of kept) held.release(each)
  assert.equal(held.hold(delivery('one.example', content)).content, content)
})

test('a content is counted once, however many recipients share it', () => {
  const { held } = start()
  const content = Buffer.alloc(100 * 1024 * 1024)
  const taken = Array.from({ length: 50 }, () => held.hold(delivery('one.example', content)))
  assert.ok(taken.every((each) => each.content === content))
  for (const each of taken.slice(1)) held.release(each)
  const other = Buffer.alloc(100 * 1024 * 1024)
  assert.equal(
    held.hold(delivery('one.example', other)).content,
    undefined,
    'the last recipient still holds it',
  )
  for (const each of taken.slice(0, 1)) held.release(each)
  assert.equal(held.hold(delivery('one.example', other)).content, other)
})

test('a lane that was full asks again once half of it is gone', () => {
  const { held, woken } = start()
  const room = held.room(lane('one.example'))
  const taken = Array.from({ length: room }, () => held.hold(delivery('one.example')))
  assert.equal(held.room(lane('one.example')), 0)
  for (const each of taken.slice(0, 5)) held.release(each)
  assert.equal(woken.times, 0)
  for (const each of taken) held.release(each)
  assert.equal(woken.times, 1)
})

test('light traffic wakes nobody', () => {
  const { held, woken } = start()
  for (let i = 0; i < 1000; i++) held.release(held.hold(delivery('one.example')))
  assert.equal(woken.times, 0)
})

test('a delivery may be held under two claims, and each is let go on its own', () => {
  const { held } = start()
  const first = delivery('one.example')
  const second = { ...first, claimToken: 'u' }
  held.hold(first)
  held.hold(second)
  held.release(first)
  held.release(first)
  assert.deepEqual([held.has(first), held.has(second)], [false, true])
  held.release(second)
  assert.equal(held.room(lane('one.example')), 50)
})

test('whatever is taken and let go, in whatever order, the counts do not drift', () => {
  const act = fc.record({
    take: fc.boolean(),
    domain: fc.nat({ max: 3 }),
    which: fc.nat(),
    bytes: fc.nat({ max: 99 }),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
      const { held } = start()
      const taken: ClaimedDelivery[] = []
      for (const { take, domain, which, bytes } of acts) {
        if (take) taken.push(held.hold(delivery(`d${domain}`, Buffer.alloc(bytes))))
        else held.release(taken.splice(which % Math.max(1, taken.length), 1)[0] ?? delivery('nobody'))
      }
      for (const each of taken) {
        assert.ok(held.has(each))
        held.release(each)
      }
      for (let domain = 0; domain < 4; domain++) assert.equal(held.room(lane(`d${domain}`)), 50)
    }),
  )
})
