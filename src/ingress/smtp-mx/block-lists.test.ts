import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lookup, TimedAddress } from '#net/resolver.ts'
import { openLog } from '#observe/log.ts'
import { type BlockList, openBlockLists } from './block-lists.ts'

const NOBODY = { kind: 'no-such-name' } as const
const FAILED = { kind: 'temporary-failure', detail: 'ESERVFAIL' } as const

function found(address: string, ttlSeconds?: number): Lookup<TimedAddress> {
  return { kind: 'found', records: [{ address, ...(ttlSeconds !== undefined && { ttlSeconds }) }] }
}

/** Lists over a zone of the test, with a clock of its own; `asked` has every question that reached DNS. */
function openTestLists(
  zone: Readonly<Record<string, Lookup<TimedAddress> | 'silence'>>,
  lists: readonly BlockList[] = [{ label: 'one', zone: 'one.example' }],
) {
  const asked: string[] = []
  const clock = { now: 1_000_000 }
  const opened = openBlockLists({
    lists,
    a: (name) => {
      asked.push(name)
      const answer = zone[name] ?? NOBODY
      return answer === 'silence' ? new Promise(() => {}) : Promise.resolve(answer)
    },
    log: openLog('silent'),
    lookupMs: 50,
    clock: () => clock.now,
  })
  return { lists: opened, asked, clock }
}

test('addresses of both families are looked up reversed, in every list', async () => {
  const { lists, asked } = openTestLists(
    {
      '99.2.0.192.one.example': found('127.0.0.2'),
      [`1${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.two.example`]: found('127.0.0.4'),
    },
    [
      { label: 'one', zone: 'one.example' },
      { label: 'abusixip', zone: 'two.example' },
    ],
  )
  assert.deepEqual(await lists.listedOn('192.0.2.99'), ['one'])
  assert.deepEqual(await lists.listedOn('2001:db8::1'), ['abusixip'])
  assert.deepEqual(await lists.listedOn('192.0.2.98'), [])
  assert.ok(asked.includes('99.2.0.192.two.example'))
})

test('only the answers that count are listings', async () => {
  const zone = {
    '1.2.0.192.one.example': found('127.0.0.10'),
    '2.2.0.192.one.example': found('127.0.0.3'),
    '3.2.0.192.one.example': found('127.255.255.254'),
    '4.2.0.192.one.example': found('203.0.113.7'),
    '5.2.0.192.one.example': found('127.0.0.1'),
  }
  const some = openTestLists(zone, [{ label: 'one', zone: 'one.example', codes: [[2, 4]] }])
  const all = openTestLists(zone)
  assert.deepEqual(await some.lists.listedOn('192.0.2.1'), [])
  assert.deepEqual(await some.lists.listedOn('192.0.2.2'), ['one'])
  assert.deepEqual(await all.lists.listedOn('192.0.2.1'), ['one'])
  for (const address of ['192.0.2.3', '192.0.2.4', '192.0.2.5']) {
    assert.deepEqual(await all.lists.listedOn(address), [], 'an error, or a zone for sale')
  }
})

test('RFC 5782 §5: a list that has 127.0.0.1 is not believed', async () => {
  const { lists } = openTestLists({
    '9.2.0.192.one.example': found('127.0.0.2'),
    '1.0.0.127.one.example': found('127.0.0.2'),
  })
  assert.deepEqual(await lists.listedOn('192.0.2.9'), [])
})

test('answers are kept for the time that their zone says, within bounds, and asked for once', async () => {
  const { lists, asked, clock } = openTestLists({
    '1.2.0.192.one.example': found('127.0.0.2', 600),
    '2.2.0.192.one.example': found('127.0.0.2', 0),
  })
  const times = (name: string) => asked.filter((question) => question === name).length
  await Promise.all(Array.from({ length: 10 }, () => lists.listedOn('192.0.2.1')))
  await lists.listedOn('192.0.2.2')
  clock.now += 29_000
  await lists.listedOn('192.0.2.2')
  clock.now += 570_000
  assert.deepEqual(await lists.listedOn('192.0.2.1'), ['one'])
  assert.equal(times('1.2.0.192.one.example'), 1)
  assert.equal(times('2.2.0.192.one.example'), 1)
  clock.now += 2000
  assert.deepEqual(await lists.listedOn('192.0.2.1'), ['one'])
  assert.deepEqual(await lists.listedOn('192.0.2.2'), ['one'])
  assert.equal(times('1.2.0.192.one.example'), 2)
  assert.equal(times('2.2.0.192.one.example'), 2)
})

test('a list that is silent or fails lists nobody, and rests once it has failed thrice', async () => {
  const zone: Record<string, Lookup<TimedAddress> | 'silence'> = {
    '1.2.0.192.one.example': 'silence',
    '2.2.0.192.one.example': FAILED,
    '3.2.0.192.one.example': FAILED,
    '4.2.0.192.one.example': found('127.0.0.2'),
  }
  const { lists, asked, clock } = openTestLists(zone)
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']) {
    assert.deepEqual(await lists.listedOn(address), [])
  }
  assert.ok(!asked.includes('4.2.0.192.one.example'))
  clock.now += 30_000
  assert.deepEqual(await lists.listedOn('192.0.2.4'), ['one'])
})

test('what is no address is asked of nobody', async () => {
  const { lists, asked } = openTestLists({})
  assert.deepEqual(await lists.listedOn(''), [])
  assert.deepEqual(asked, [])
})
