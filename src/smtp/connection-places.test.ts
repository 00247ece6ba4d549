import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type ConnectionPlace, ConnectionPlaces, type PlaceLimits } from './connection-places.ts'

/** A server whose clock is ours; `come` is what it does with a new connection. */
function openServer(limits: PlaceLimits) {
  const clock = { now: 0 }
  const places = new ConnectionPlaces(limits, () => clock.now)
  const there = new Map<string, ConnectionPlace>()
  const gaveWay: string[] = []
  const come = (name: string, address: string): boolean => {
    if (!places.makeRoom(address)) return false
    const giveWay = () => {
      gaveWay.push(name)
      there.delete(name)
    }
    there.set(name, places.enter(address, giveWay))
    return true
  }
  const placeOf = (name: string): ConnectionPlace => {
    const place = there.get(name)
    assert.ok(place)
    return place
  }
  return {
    clock,
    there,
    gaveWay,
    come,
    keep: (name: string) => places.keep(placeOf(name)),
    wait: (name: string) => places.wait(placeOf(name)),
    leave(name: string) {
      const place = placeOf(name)
      places.leave(place)
      // Its socket closes some time after it gave way.
      places.leave(place)
      there.delete(name)
    },
  }
}

const ROOMY = { connectionsPerAddress: 100, giveWayMs: 10_000 }

test('the oldest gives way once it is old enough, and not before', () => {
  const server = openServer({ ...ROOMY, connections: 2 })
  assert.ok(server.come('first', 'a'))
  server.clock.now = 5000
  assert.ok(server.come('second', 'b'))
  server.clock.now = 9999
  assert.ok(!server.come('third', 'c'))
  server.clock.now = 10_000
  assert.ok(server.come('third', 'c'))
  assert.ok(!server.come('fourth', 'd'))
  assert.deepEqual(server.gaveWay, ['first'])
})

test('who has logged in stays, and so does everybody who has something to do', () => {
  const server = openServer({ ...ROOMY, connections: 3 })
  for (const name of ['first', 'second']) assert.ok(server.come(name, 'a'))
  server.keep('first')
  assert.ok(server.come('third', 'a'))
  server.keep('third')
  server.clock.now = 60_000
  assert.ok(server.come('fourth', 'a'))
  server.keep('fourth')
  server.clock.now = 120_000
  assert.ok(!server.come('fifth', 'a'))
  assert.deepEqual(server.gaveWay, ['second'])
})

test('who has just been heard of is the last to give way, and who left does not come back', () => {
  const server = openServer({ ...ROOMY, connections: 2 })
  for (const name of ['first', 'second']) assert.ok(server.come(name, 'a'))
  server.clock.now = 9000
  server.keep('first')
  server.wait('first')
  server.clock.now = 10_000
  assert.ok(server.come('third', 'b'))
  assert.ok(!server.come('fourth', 'b'))
  server.clock.now = 19_000
  assert.ok(server.come('fourth', 'b'))
  assert.deepEqual(server.gaveWay, ['second', 'first'])
})

test('an address that has its share makes nobody leave', () => {
  const server = openServer({ connections: 3, connectionsPerAddress: 2, giveWayMs: 10_000 })
  for (const name of ['first', 'second']) assert.ok(server.come(name, 'a'))
  server.clock.now = 60_000
  assert.ok(!server.come('third', 'a'))
  assert.ok(server.come('fourth', 'b'))
  assert.deepEqual(server.gaveWay, [])
})

test('whatever comes and goes, neither limit is passed and what left is not counted', () => {
  const step = fc.oneof(
    fc.record({ come: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ leave: fc.nat() }),
    fc.record({ keep: fc.nat() }),
    fc.record({ wait: fc.nat({ max: 15_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const server = openServer({ connections: 4, connectionsPerAddress: 2, giveWayMs: 10_000 })
      const kept = new Set<string>()
      for (const [index, event] of steps.entries()) {
        const some = (n: number) => [...server.there.keys()][n % (server.there.size || 1)]
        const addresses = [...server.there.values()].map(({ address }) => address)
        if ('wait' in event) server.clock.now += event.wait
        else if ('come' in event) {
          const free = addresses.length < 4 && addresses.filter((a) => a === event.come).length < 2
          assert.ok(server.come(String(index), event.come) || !free)
        } else if ('keep' in event) {
          const name = some(event.keep)
          if (name !== undefined) {
            server.keep(name)
            kept.add(name)
          }
        } else {
          const name = some(event.leave)
          if (name !== undefined) server.leave(name)
        }
        assert.ok(server.there.size <= 4)
        for (const address of 'abc') {
          assert.ok([...server.there.values()].filter((place) => place.address === address).length <= 2)
        }
      }
      assert.ok(server.gaveWay.every((name) => !kept.has(name)))
    }),
  )
})
