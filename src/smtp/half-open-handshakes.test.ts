import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type HalfOpenHandshake, HalfOpenHandshakes } from './half-open-handshakes.ts'

/** A door whose clock is ours; `knock` is what a server does with a new connection. */
function openDoor(limits: { handshakes: number; handshakesPerAddress: number }) {
  const clock = { now: 0 }
  const open = new Map<HalfOpenHandshake, string>()
  const handshakes = new HalfOpenHandshakes(limits, () => clock.now)
  const finish = (handshake: HalfOpenHandshake): void => {
    handshakes.leave(handshake)
    open.delete(handshake)
  }
  const knock = (address: string): boolean => {
    if (!handshakes.makeRoom(address)) return false
    const handshake: HalfOpenHandshake = handshakes.enter(address, () => finish(handshake))
    open.set(handshake, address)
    return true
  }
  return { clock, open, knock, finish, addresses: () => [...open.values()] }
}

test('the oldest handshake gives way once it is a second old, and not before', () => {
  const door = openDoor({ handshakes: 2, handshakesPerAddress: 2 })
  assert.ok(door.knock('a'))
  door.clock.now = 500
  assert.ok(door.knock('b'))
  door.clock.now = 999
  assert.ok(!door.knock('c'))
  door.clock.now = 1000
  assert.ok(door.knock('c'))
  assert.deepEqual(door.addresses(), ['b', 'c'])
  assert.ok(!door.knock('d'))
})

test('an address that has its share costs only itself', () => {
  const door = openDoor({ handshakes: 10, handshakesPerAddress: 2 })
  for (const address of ['b', 'a', 'a']) assert.ok(door.knock(address))
  assert.ok(!door.knock('a'))
  assert.ok(door.knock('c'))
  door.clock.now = 5000
  assert.ok(door.knock('a'))
  assert.deepEqual(door.addresses(), ['b', 'a', 'c', 'a'])
})

test('whatever comes and goes, neither limit is passed and what left is not counted', () => {
  const step = fc.oneof(
    fc.record({ knock: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ finish: fc.nat() }),
    fc.record({ wait: fc.nat({ max: 1500 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const door = openDoor({ handshakes: 4, handshakesPerAddress: 2 })
      for (const event of steps) {
        if ('wait' in event) door.clock.now += event.wait
        else if ('finish' in event) {
          const handshake = [...door.open.keys()][event.finish % (door.open.size || 1)]
          if (handshake !== undefined) door.finish(handshake)
        } else {
          const free =
            door.open.size < 4 && door.addresses().filter((address) => address === event.knock).length < 2
          assert.ok(door.knock(event.knock) || !free)
        }
        assert.ok(door.open.size <= 4)
        for (const address of 'abc') assert.ok(door.addresses().filter((a) => a === address).length <= 2)
      }
    }),
  )
})
