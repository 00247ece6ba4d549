import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { openRates, type RateLimits } from './rates.ts'

const SECOND = { count: 10, perMs: 1000 }

function world(limits: RateLimits, nodes = 1) {
  const at = { now: 5000, nodes }
  const rates = openRates({ limits, nodes: () => at.nodes, clock: () => at.now })
  const to = (count: number, name = 'r') =>
    Array.from({ length: count }, (_, index) => `${name}${index}@x.example`)
  const take = (count: number, more: { account?: string; domain?: string; name?: string } = {}) =>
    rates.take({
      accountId: more.account ?? 'a',
      domain: more.domain ?? 'one.example',
      recipients: to(count, more.name),
    })
  return { at, rates, take }
}

test('as many at once as the rate has, then at its pace', () => {
  const { at, take } = world({ account: SECOND })
  assert.ok(take(10).ok)
  const refused = take(1)
  assert.deepEqual(refused, { ok: false, scope: 'account', rate: SECOND, key: 'a', retryAfterMs: 100 })
  at.now += 99
  assert.equal(take(1).ok, false)
  at.now += 1
  assert.ok(take(1).ok)
  assert.equal(take(1).ok, false)
  assert.ok(take(10, { account: 'b' }).ok, 'another account has its own')
})

test('what was told to wait for is true: after it, the same is taken', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 60 }), pause: fc.nat(3000) }), { maxLength: 40 }),
      (count, steps) => {
        const { at, take } = world({ account: { count, perMs: 1000 } })
        for (const step of steps) {
          at.now += step.pause
          const first = take(step.count)
          if (first.ok) continue
          at.now += first.retryAfterMs
          assert.ok(take(step.count).ok)
        }
      },
    ),
  )
})

test('in any time no more than the rate gives in it, and once more the rate, but for what alone is more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 10 }), pause: fc.nat(400) }), { maxLength: 60 }),
      (steps) => {
        const { at, take } = world({ account: SECOND })
        const taken: { readonly at: number; readonly count: number }[] = []
        for (const { count, pause } of steps) {
          at.now += pause
          if (take(count).ok) taken.push({ at: at.now, count })
        }
        for (const [index, first] of taken.entries()) {
          let sent = 0
          for (const each of taken.slice(index)) {
            sent += each.count
            assert.ok(sent <= 10 + ((each.at - first.at) / 1000) * 10 + 1e-6)
          }
        }
      },
    ),
  )
})

test('a message to more than the rate has waits for all before it, and is not refused for ever', () => {
  const { at, take } = world({ account: SECOND })
  assert.ok(take(1).ok)
  const refused = take(25)
  assert.equal(refused.ok, false)
  at.now += refused.ok ? 0 : refused.retryAfterMs
  assert.ok(take(25).ok)
  at.now += 2499
  assert.equal(take(10).ok, false)
})

test('all scopes or none: what one refuses the others do not count', () => {
  const { at, take, rates } = world({
    account: { count: 5, perMs: 1000 },
    recipient: { count: 1, perMs: 60_000 },
  })
  assert.ok(take(1, { name: 'x' }).ok)
  const again = take(1, { name: 'x' })
  assert.deepEqual(
    [again.ok, !again.ok && again.scope, !again.ok && again.key],
    [false, 'recipient', 'x0@x.example'],
  )
  assert.ok(take(4, { name: 'y' }).ok)
  at.now += 30_000
  assert.equal(take(1, { name: 'x' }).ok, false)
  assert.deepEqual(
    rates.left().map(({ scope }) => scope),
    ['account', 'recipient'],
  )
})

test('domains of an account count apart', () => {
  const { take } = world({ domain: SECOND })
  assert.ok(take(10).ok)
  assert.equal(take(1).ok, false)
  assert.ok(take(10, { domain: 'two.example' }).ok)
  assert.ok(take(10, { account: 'b' }).ok)
})

test('what was not sent after all is given back', () => {
  const { take, rates } = world({ account: SECOND })
  const taken = take(10)
  assert.deepEqual(rates.left(), [{ scope: 'account', share: 0 }])
  if (taken.ok) taken.giveBack()
  assert.deepEqual(rates.left(), [{ scope: 'account', share: 1 }])
  assert.ok(take(10).ok)
})

test('nodes share a rate: each gives its part, and a node that joins takes from the others', () => {
  const limits = { account: SECOND }
  const two = [world(limits, 2), world(limits, 2)]
  const count = () =>
    two.flatMap(({ take }) => Array.from({ length: 20 }, () => take(1))).filter(({ ok }) => ok)
  assert.equal(count().length, 10)
  for (const { at } of two) at.now += 1000
  assert.equal(count().length, 10)
})

test('without limits nothing is counted', () => {
  const { take, rates } = world({})
  for (let index = 0; index < 100; index++) assert.ok(take(50).ok)
  assert.deepEqual(rates.left(), [])
})
