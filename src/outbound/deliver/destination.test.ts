import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { openDestination } from './destination.ts'
import { openPace, type Pace } from './pace.ts'

const IDLE_MS = 60_000
// It looks into nothing else.
const delivery = (id: number, accountId = 'a') =>
  ({ id: String(id), message: { accountId } }) as ClaimedDelivery

function paceOf(connections: number): Pace {
  const limits = { connections, messagesPerConnection: 100, messagesPerSecond: Number.POSITIVE_INFINITY }
  return openPace({ limits, clock: () => performance.now(), nodes: () => 1 })
}

function start(most: number) {
  const opened = { count: 0 }
  const destination = openDestination(paceOf(most), () => {
    opened.count++
  })
  return { destination, opened }
}

test('a connection is opened for each that waits, up to the limit', () => {
  const { destination, opened } = start(3)
  for (let i = 0; i < 10; i++) destination.add(delivery(i))
  assert.equal(opened.count, 3)
})

test('they are served in their order, and an idle connection before a new one', async () => {
  const { destination, opened } = start(3)
  for (let i = 0; i < 3; i++) destination.add(delivery(i))
  for (let i = 0; i < 3; i++) assert.equal((await destination.next(IDLE_MS))?.id, String(i))
  const idle = destination.next(IDLE_MS)
  destination.add(delivery(9))
  assert.equal((await idle)?.id, '9')
  assert.equal(opened.count, 3)
})

test('an idle connection is let go after a while, the others at the end', async () => {
  const { destination } = start(3)
  assert.equal(await destination.next(1), undefined)
  const idle = destination.next(IDLE_MS)
  destination.close()
  assert.equal(await idle, undefined)
  assert.equal(await destination.next(IDLE_MS), undefined, 'nobody becomes idle any more')
  destination.add(delivery(1))
  assert.equal((await destination.next(IDLE_MS))?.id, '1', 'but what still comes is served')
})

test('only when the last connection has failed is nothing attempted', () => {
  const { destination } = start(3)
  for (let i = 0; i < 5; i++) destination.add(delivery(i))
  assert.equal(destination.failed(), undefined)
  assert.equal(destination.failed(), undefined)
  assert.equal(destination.failed()?.length, 5)
  assert.equal(destination.empty, true)
})

test('a host that takes fewer connections gets fewer, and is offered more again little by little', () => {
  const { destination, opened } = start(4)
  for (let i = 0; i < 100; i++) destination.add(delivery(i))
  assert.equal(opened.count, 4)
  for (let i = 0; i < 3; i++) destination.failed()
  destination.add(delivery(100))
  assert.equal(opened.count, 4, 'one is left, and no other is tried')
  destination.ended()
  assert.equal(opened.count, 5, 'one in its place')
  for (let i = 0; i < 100; i++) destination.pace.succeeded()
  assert.equal(opened.count, 6, 'and one more when that had carried much')
  for (let i = 0; i < 20; i++) destination.pace.succeeded()
  assert.equal(opened.count, 7, 'and the next one sooner')
})

test('a connection that was not what it had to be says nothing of how many there may be', () => {
  const { destination, opened } = start(4)
  for (let i = 0; i < 100; i++) destination.add(delivery(i))
  for (let i = 0; i < 3; i++) assert.equal(destination.failed('unmet'), undefined)
  destination.add(delivery(1))
  assert.equal(opened.count, 4, 'nor is it tried again while another may tell')
  assert.equal(destination.failed('unmet')?.length, 101)
  for (let i = 0; i < 10; i++) destination.add(delivery(i))
  assert.equal(opened.count, 5)
  void destination.next(IDLE_MS)
  for (let i = 0; i < 10; i++) destination.add(delivery(i))
  assert.equal(opened.count, 8, 'and once one is what it has to be, the others may be')
})

test('whatever connections do, what waits is always somebody’s: a connection is open or under way', () => {
  const act = fc.constantFrom('add', 'next', 'ended', 'refused', 'unmet')
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), fc.integer({ min: 1, max: 5 }), (acts, most) => {
      let connections = 0
      let waiting = 0
      const destination = openDestination(paceOf(most), () => {
        connections++
      })
      for (const [i, what] of acts.entries()) {
        if (what === 'add') {
          destination.add(delivery(i))
          waiting++
        } else if (connections === 0) continue
        else if (what === 'next' && waiting > 0) {
          void destination.next(IDLE_MS)
          waiting--
        } else if (what === 'ended') {
          connections--
          destination.ended()
        } else if (what === 'refused' || what === 'unmet') {
          connections--
          const left = destination.failed(what)
          if (left) {
            assert.equal(left.length, waiting)
            waiting = 0
          }
        }
        assert.ok(connections <= most)
        assert.ok(waiting === 0 || connections > 0, 'nobody would come for what waits')
        assert.equal(destination.empty, waiting === 0 && connections === 0)
      }
    }),
  )
})

test('two demands on one destination share its places, and neither starves', async () => {
  const pace = paceOf(2)
  let plain = 0
  let verified = 0
  const first = openDestination(pace, () => {
    plain++
  })
  const second = openDestination(pace, () => {
    verified++
  })
  for (let i = 0; i < 5; i++) first.add(delivery(i))
  second.add(delivery(9))
  assert.deepEqual([plain, verified], [2, 0])
  assert.equal((await first.next(IDLE_MS))?.id, '0')
  first.ended()
  assert.deepEqual([plain, verified], [3, 0], 'who waited longer comes first')
  first.ended()
  assert.deepEqual([plain, verified], [3, 1], 'and then the other')
})

test('a connection that never becomes idle is asked to give its place to another demand', async () => {
  const pace = paceOf(1)
  let opened = 0
  const busy = openDestination(pace, () => {})
  const other = openDestination(pace, () => {
    opened++
  })
  for (let i = 0; i < 5; i++) busy.add(delivery(i))
  assert.equal(busy.crowdedOut, false, 'its own wish for more is nobody else’s')
  other.add(delivery(9))
  assert.deepEqual([busy.crowdedOut, other.crowdedOut], [true, true])
  await busy.next(IDLE_MS)
  busy.ended()
  busy.ended()
  assert.equal(opened, 1)
})

test('a connection that is idle gives its place to another demand at once', async () => {
  const pace = paceOf(1)
  let opened = 0
  const first = openDestination(pace, () => {})
  const second = openDestination(pace, () => {
    opened++
  })
  first.add(delivery(1))
  assert.equal((await first.next(IDLE_MS))?.id, '1')
  const idle = first.next(IDLE_MS)
  second.add(delivery(2))
  assert.equal(await idle, undefined)
  first.ended()
  assert.equal(opened, 1)
})

test('accounts are served by turns, each in its own order', async () => {
  const { destination } = start(1)
  for (let i = 0; i < 4; i++) destination.add(delivery(i, 'large'))
  destination.add(delivery(9, 'small'))
  const order: (string | undefined)[] = []
  for (let i = 0; i < 5; i++) order.push((await destination.next(IDLE_MS))?.id)
  assert.deepEqual(order, ['0', '9', '1', '2', '3'])
})
