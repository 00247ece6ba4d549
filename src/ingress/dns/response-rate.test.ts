import assert from 'node:assert/strict'
import { test } from 'node:test'
import dnsPacket from 'dns-packet'
import * as fc from 'fast-check'
import { openResponseRate, type RateVerdict, RESPONSE_LIMITS } from './response-rate.ts'

const LIMITS = { sameAnswer: 2, absences: 3, errors: 1, all: 6, slip: 2 }

function world(limits = LIMITS) {
  let now = 0
  const rate = openResponseRate(limits, () => now)
  const many = (count: number, client: string, response: Buffer) => {
    const verdicts = { send: 0, truncate: 0, drop: 0 }
    for (let i = 0; i < count; i++) verdicts[rate(client, response)]++
    return verdicts
  }
  return { rate, many, pass: (ms: number) => (now += ms) }
}

function response(name: string, { answers = 1, rcode = 0 } = {}): Buffer {
  return dnsPacket.encode({
    ...{ type: 'response', id: 1, flags: rcode, questions: [{ type: 'A', name }] },
    answers: [...Array(answers).keys()].map(() => ({ type: 'A', name, data: '192.0.2.1' })),
  })
}
const absence = (name: string) => response(name, { answers: 0, rcode: 3 })
const refused = (name: string) => response(name, { answers: 0, rcode: 5 })

test('the same answer goes so many times a second to one network, after a burst; half of the rest truncated', () => {
  const { many, pass } = world()
  const answer = response('example.com')
  assert.deepEqual(many(14, '192.0.2.1', answer), { send: 10, truncate: 2, drop: 2 })
  pass(1000)
  assert.deepEqual(many(4, '192.0.2.200', answer), { send: 2, truncate: 1, drop: 1 })
  assert.equal(many(1, '192.0.3.1', answer).send, 1, 'another network')
  pass(60_000)
  assert.equal(many(20, '192.0.2.1', answer).send, 10, 'no more is saved up than a burst')
})

test('the case of a name makes no other question; another name or type does', () => {
  const { many } = world({ ...LIMITS, all: 100 })
  assert.equal(many(5, '192.0.2.1', response('example.com')).send, 5)
  assert.equal(many(8, '192.0.2.1', response('eXaMpLe.CoM')).send, 5)
  assert.equal(many(1, '192.0.2.1', response('www.example.com')).send, 1)
})

test('absences count together whatever their names are, errors too, which are never truncated', () => {
  const { rate } = world({ ...LIMITS, all: 100 })
  const verdicts = (of: (name: string) => Buffer) =>
    [...Array(40).keys()].map((i): RateVerdict => rate('192.0.2.1', of(`x${i}.example.com`)))
  assert.equal(verdicts(absence).filter((verdict) => verdict === 'send').length, 15)
  assert.deepEqual([...new Set(verdicts(refused))], ['send', 'drop'])
  assert.deepEqual(
    verdicts(refused).filter((verdict) => verdict !== 'drop'),
    [],
  )
})

test('many different answers are too many as well', () => {
  const { rate } = world()
  const verdicts = [...Array(60).keys()].map((i) => rate('192.0.2.1', response(`x${i}.example.com`)))
  assert.equal(verdicts.filter((verdict) => verdict === 'send').length, 30)
})

test('IPv6 counts by /56', () => {
  const { many } = world()
  const answer = response('example.com')
  assert.equal(many(20, '2001:db8:0:1201::1', answer).send, 10)
  assert.equal(many(20, '2001:db8:0:12ff:1:2:3:4', answer).send, 0)
  assert.equal(many(20, '2001:db8:0:1300::1', answer).send, 10)
  assert.equal(many(20, '::1', answer).send, 10)
})

test('whoever asks from everywhere at once finds bounded memory, and the one that is hit stays limited', () => {
  const { rate } = world()
  const answer = response('example.com')
  let victim = 0
  for (let i = 0; i < 100_000; i++) {
    rate(`${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}.9`, answer)
    if (i % 50 === 0 && rate('203.0.113.7', answer) === 'send') victim += 1
  }
  assert.equal(victim, 10)
})

test('no octets make it throw', () => {
  const rate = openResponseRate(RESPONSE_LIMITS, () => 0)
  const octets = fc.uint8Array({ minLength: 12, maxLength: 300 }).map((array) => Buffer.from(array))
  fc.assert(
    fc.property(octets, fc.oneof(fc.ipV4(), fc.ipV6()), (reply, client) => {
      assert.ok(['send', 'truncate', 'drop'].includes(rate(client, reply)))
    }),
  )
})
