import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { openLoginDelays } from './login-delays.ts'

const MINUTE_MS = 60_000
const HERE = '192.0.2.1'
const ELSEWHERE = '198.51.100.0'

function world() {
  let now = 1_800_000_000_000
  const delays = openLoginDelays({ now: () => now })
  const refuse = (times: number, ...keys: string[]) =>
    Array.from({ length: times }, () => delays.refused(keys))
  return { delays, refuse, pass: (ms: number) => (now += ms) }
}

test('five refusals are answered at once, each further one later than the one before, up to ten seconds', () => {
  const { refuse } = world()
  assert.deepEqual(refuse(10, HERE), [0, 0, 0, 0, 0, 100, 141, 200, 283, 400])
  const later = refuse(40, HERE)
  assert.deepEqual(
    later,
    later.toSorted((a, b) => a - b),
  )
  assert.equal(later.at(-1), 10_000)
})

test('each key counts by itself, and the one that was refused most decides', () => {
  const { refuse } = world()
  refuse(6, HERE)
  assert.deepEqual(refuse(1, ELSEWHERE), [0])
  assert.deepEqual(refuse(1, HERE, 'account'), [141])
  // Guessing at one account from many networks
  for (let network = 0; network < 5; network += 1) refuse(1, `203.0.113.${network}`, 'account')
  assert.deepEqual(refuse(1, '203.0.113.9', 'account'), [141])
  assert.deepEqual(refuse(1, '203.0.113.9'), [0])
})

test('who gets in takes back half of what its network has, and nothing of what its account has', () => {
  const { delays, refuse } = world()
  refuse(9, HERE, 'account')
  delays.succeeded(HERE)
  assert.deepEqual(refuse(2, HERE), [0, 100])
  assert.deepEqual(refuse(1, 'account'), [400])
  delays.succeeded(ELSEWHERE)
  refuse(1, ELSEWHERE)
  delays.succeeded(ELSEWHERE)
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
    const { delays, refuse, pass } = world()
    refuse(20, HERE)
    pass(15 * MINUTE_MS - early)
    delays.succeeded(HERE)
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

test('whatever happens, a delay lies between nothing and ten seconds, and grows only by refusals of its key', () => {
  const step = fc.oneof(
    fc.record({ refused: fc.constantFrom(HERE, ELSEWHERE, 'account') }),
    fc.record({ succeeded: fc.constantFrom(HERE, ELSEWHERE) }),
    fc.record({ pass: fc.integer({ min: 0, max: 20 * MINUTE_MS }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { delays, pass } = world()
      const most = new Map<string, number>()
      for (const each of steps) {
        if ('pass' in each) pass(each.pass)
        else if ('succeeded' in each) delays.succeeded(each.succeeded)
        else {
          const count = (most.get(each.refused) ?? 0) + 1
          most.set(each.refused, count)
          const delay = delays.refused([each.refused])
          assert.ok(delay >= 0 && delay <= 10_000)
          if (count <= 5) assert.equal(delay, 0)
        }
      }
    }),
  )
})
