import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { openLoginDelays } from './login-delays.ts'

const MINUTE_MS = 60_000
const HERE = '192.0.2.1'
const ELSEWHERE = '198.51.100.0'

function world() {
  let now = 1_800_000_000_000
  let guesses = 0
  const delays = openLoginDelays({ now: () => now })
  /** How long each of so many refused attempts waited; each with another secret where none is named. */
  const refuse = (times: number, network: string, secretHash?: string) =>
    Array.from({ length: times }, () => {
      const attempt = { network, secretHash: secretHash ?? `guess ${guesses++}` }
      const delayMs = delays.before(attempt)
      delays.refused(attempt)
      return delayMs
    })
  const wait = (network: string, secretHash: string) => delays.before({ network, secretHash })
  const succeed = (network: string, secretHash: string) => delays.succeeded({ network, secretHash })
  return { refuse, wait, succeed, pass: (ms: number) => (now += ms) }
}

test('after five refusals each login waits, each longer than the one before, up to ten seconds', () => {
  const { refuse } = world()
  assert.deepEqual(refuse(10, HERE), [0, 0, 0, 0, 0, 100, 141, 200, 283, 400])
  const later = refuse(40, HERE)
  assert.deepEqual(
    later,
    later.toSorted((a, b) => a - b),
  )
  assert.equal(later.at(-1), 10_000)
})

test('it waits before anybody knows whether it is right, unless it was lately', () => {
  const { refuse, wait, succeed, pass } = world()
  refuse(20, HERE)
  const full = wait(HERE, 'right')
  assert.ok(full > 0)
  assert.equal(wait(HERE, 'wrong'), full)
  succeed(HERE, 'right')
  assert.equal(wait(HERE, 'right'), 0)
  assert.ok(wait(HERE, 'wrong') > 0)
  refuse(20, ELSEWHERE)
  assert.equal(wait(ELSEWHERE, 'right'), wait(ELSEWHERE, 'wrong'), 'where it never was it is unknown')
  for (let minutes = 0; minutes < 120; minutes += 50) {
    pass(50 * MINUTE_MS)
    refuse(20, HERE)
    assert.equal(wait(HERE, 'right'), 0)
    succeed(HERE, 'right')
  }
  pass(61 * MINUTE_MS)
  refuse(20, HERE)
  assert.ok(wait(HERE, 'right') > 0)
})

test('a secret that is refused is unknown from then on', () => {
  const { refuse, wait, succeed } = world()
  refuse(20, HERE)
  succeed(HERE, 'token')
  refuse(1, HERE, 'token')
  assert.ok(wait(HERE, 'token') > 0)
})

test('each network counts by itself', () => {
  const { refuse } = world()
  refuse(6, HERE)
  assert.deepEqual(refuse(6, ELSEWHERE), [0, 0, 0, 0, 0, 100])
  assert.deepEqual(refuse(1, HERE), [141])
})

test('a secret counts wherever it comes from, until it is right', () => {
  const { refuse, wait, succeed } = world()
  const waits = Array.from({ length: 7 }, (_, network) => refuse(1, `203.0.113.${network}`, 'leaked'))
  assert.deepEqual(waits.flat(), [0, 0, 0, 0, 0, 100, 141])
  assert.equal(wait('203.0.113.99', 'another'), 0)
  succeed(HERE, 'leaked')
  assert.equal(wait('203.0.113.99', 'leaked'), 0)
})

test('a login takes back half of what its network has, once an hour for each token', () => {
  const { refuse, succeed } = world()
  refuse(9, HERE)
  succeed(HERE, 'one')
  assert.deepEqual(refuse(2, HERE), [0, 100])
  for (let times = 0; times < 10; times += 1) succeed(HERE, 'one')
  assert.deepEqual(refuse(1, HERE), [141])
  succeed(HERE, 'two')
  assert.deepEqual(refuse(2, HERE), [0, 0])
  succeed(ELSEWHERE, 'one')
  refuse(1, ELSEWHERE)
  succeed(ELSEWHERE, 'two')
  assert.deepEqual(refuse(6, ELSEWHERE), [0, 0, 0, 0, 0, 100])
})

test('a refusal is forgotten a quarter of an hour after the last one', () => {
  const { refuse, pass } = world()
  refuse(6, HERE)
  pass(15 * MINUTE_MS - 1)
  assert.deepEqual(refuse(1, HERE), [141])
  pass(15 * MINUTE_MS + 1)
  assert.deepEqual(refuse(1, HERE), [0])
})

test('what is taken back is forgotten no later for it', () => {
  for (const early of [0, 1, MINUTE_MS]) {
    const { refuse, succeed, pass } = world()
    refuse(20, HERE)
    pass(15 * MINUTE_MS - early)
    succeed(HERE, 'token')
    pass(early + 2)
    assert.deepEqual(refuse(1, HERE), [0], `${early} ms before`)
  }
})

test('strangers who come from everywhere cost a bounded amount of memory', () => {
  const { refuse } = world()
  refuse(6, HERE)
  for (let network = 0; network < 20_000; network += 1) refuse(1, String(network))
  assert.deepEqual(refuse(1, HERE), [0])
  assert.deepEqual(refuse(5, '19999'), [0, 0, 0, 0, 100])
})

test('whoever guesses does not push out the count of the own network by it', () => {
  const { refuse, wait } = world()
  refuse(20_001, HERE)
  assert.equal(wait(HERE, 'another'), 10_000)
})

test('whatever happens, a wait lies between nothing and ten seconds, and the first five are looked at at once', () => {
  const network = fc.constantFrom(HERE, ELSEWHERE)
  const secret = fc.constantFrom('one', 'two')
  const step = fc.oneof(
    fc.record({ refused: network, secret }),
    fc.record({ succeeded: network, secret }),
    fc.record({ pass: fc.integer({ min: 0, max: 20 * MINUTE_MS }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { refuse, succeed, pass } = world()
      let refusals = 0
      for (const each of steps) {
        if ('pass' in each) pass(each.pass)
        else if ('succeeded' in each) succeed(each.succeeded, each.secret)
        else {
          const [delay = NaN] = refuse(1, each.refused, each.secret)
          assert.ok(delay >= 0 && delay <= 10_000)
          refusals += 1
          if (refusals <= 5) assert.equal(delay, 0)
        }
      }
    }),
  )
})
