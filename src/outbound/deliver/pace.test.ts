import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openPace } from './pace.ts'

const LIMITS = { connections: 16, messagesPerConnection: 100, messagesPerSecond: Number.POSITIVE_INFINITY }
const ignore = () => {}

function start(limits: Partial<typeof LIMITS> = {}, nodes = 1) {
  const time = { now: 0 }
  const pace = openPace({ limits: { ...LIMITS, ...limits }, clock: () => time.now, nodes: () => nodes })
  return { time, pace }
}

function takeAll(pace: ReturnType<typeof openPace>): number {
  let taken = 0
  while (pace.take(ignore)) taken++
  return taken
}

test('promise 4: each of n nodes has its share of a limit, and one connection at least', () => {
  assert.equal(takeAll(start({}, 1).pace), 16)
  assert.equal(takeAll(start({}, 4).pace), 4)
  assert.equal(takeAll(start({}, 100).pace), 1)
})

test('a destination that says 421 gets half as many connections, and more again one by one', () => {
  const { pace, time } = start()
  assert.equal(takeAll(pace), 16)
  time.now = 5000
  pace.sentAway()
  for (let i = 0; i < 6; i++) pace.giveBack('worked')
  assert.equal(takeAll(pace), 0, 'ten are open, eight are allowed')
  for (let i = 0; i < 4; i++) pace.giveBack('worked')
  assert.equal(takeAll(pace), 2, 'eight')
  for (let i = 0; i < 80; i++) pace.succeeded()
  assert.equal(takeAll(pace), 1, 'and one more once each has carried some')
})

test('one more than a host took is tried again, but only after much more', () => {
  const { pace } = start()
  for (let i = 0; i < 4; i++) pace.take(ignore)
  pace.giveBack('failed')
  let messages = 0
  while (takeAll(pace) === 0) {
    pace.succeeded()
    messages++
  }
  assert.equal(messages, 300)
})

test('the rate that was too much is halved once for all replies of a moment, and grows back', () => {
  const { pace, time } = start()
  // A hundred a second.
  for (let i = 0; i < 200; i++) {
    time.now += 10
    pace.succeeded()
  }
  assert.equal(pace.turnMs(), 0, 'no rate is set before it was too much')
  time.now += 1
  for (let i = 0; i < 20; i++) pace.tooFast()
  pace.turnMs()
  const gap = pace.turnMs()
  assert.ok(gap > 15 && gap < 30, `${gap} ms between two messages`)
  for (let i = 0; i < 1000; i++) pace.succeeded()
  time.now += 100_000
  assert.equal(pace.turnMs(), 0)
  assert.equal(pace.turnMs(), 0, 'no rate any more')
})

test('it grows by a fifth in a second, but slower close to what was too much', () => {
  const { pace, time } = start()
  for (let i = 0; i < 10; i++) {
    time.now += 2000
    pace.tooFast()
  }
  /** Seconds until it sends so many a second, if all is taken. */
  const secondsUntil = (perSecond: number) => {
    const began = time.now
    pace.turnMs()
    for (let gap = Number.POSITIVE_INFINITY; gap > 1000 / perSecond; ) {
      gap = pace.turnMs()
      time.now += gap
      pace.succeeded()
    }
    return (time.now - began) / 1000
  }
  const fromNothing = secondsUntil(50)
  assert.ok(fromNothing > 20 && fromNothing < 150, `${fromNothing} s from next to nothing`)
  time.now += 2000
  pace.tooFast()
  const back = secondsUntil(50)
  assert.ok(back > 10 && back < 25, `${back} s back to where it was too much`)
})

test('a storm of 421 in which nothing is taken sets no rate: it was not about that', () => {
  const { pace, time } = start()
  for (let i = 0; i < 100; i++) {
    time.now += 2000
    pace.sentAway()
  }
  pace.turnMs()
  assert.equal(pace.turnMs(), 0)
  pace.succeeded()
  time.now += 2000
  pace.sentAway()
  pace.turnMs()
  assert.ok(pace.turnMs() > 0, 'but where something was taken before, it may be')
})

test('a rate that the operator set is kept, shared among the nodes', () => {
  const { pace } = start({ messagesPerSecond: 10 }, 2)
  const waits = [pace.turnMs(), pace.turnMs(), pace.turnMs()].map(Math.round)
  assert.deepEqual(waits, [0, 200, 400])
})

test('whatever happens, connections stay within the limit, and who waits is called', () => {
  const act = fc.constantFrom('take', 'worked', 'failed', 'tooFast', 'sentAway', 'succeeded')
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300 }), fc.integer({ min: 1, max: 8 }), (acts, connections) => {
      const { pace, time } = start({ connections })
      let open = 0
      let waiting = 0
      const whenFree = () => {
        waiting--
        if (pace.take(ignore)) open++
      }
      for (const what of acts) {
        time.now += 700
        if (what === 'take' && waiting === 0) {
          if (pace.take(whenFree)) open++
          else waiting++
        } else if (what === 'tooFast') pace.tooFast()
        else if (what === 'sentAway') pace.sentAway()
        else if (what === 'succeeded') pace.succeeded()
        else if (what !== 'take' && open > 0) {
          open--
          pace.giveBack(what)
        }
        assert.ok(open <= connections)
        assert.ok(waiting === 0 || open > 0, 'nobody would make room for who waits')
      }
    }),
  )
})
