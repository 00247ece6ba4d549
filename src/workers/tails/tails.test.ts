import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { passesFilters, type TailFilter } from './tail-filter.ts'
import { openTails, type TailEnd, type TailReader, type Tails } from './tails.ts'

const PLACE = { accountId: 'a'.repeat(32), scriptName: 'mail' }

function trace(more: Partial<WorkerTrace> = {}): WorkerTrace {
  return {
    ...{ ...PLACE, versionId: 'version-1', outcome: 'ok', logs: [], exceptions: [], eventTimestamp: 5 },
    event: { mailFrom: 'a@x.example', rcptTo: 'b@example.com', rawSize: 9 },
    ...more,
  }
}

/** What a reader was told. */
function reader(): TailReader & { readonly events: string[]; readonly ends: TailEnd[] } {
  const events: string[] = []
  const ends: TailEnd[] = []
  return { events, ends, tell: (event) => events.push(event), end: (why) => ends.push(why) }
}

const isAllowed = async () => true
const wish = (more: object = {}) => ({ ...PLACE, filters: [], isAllowed, ...more })

function open(tails: Tails, more: object = {}) {
  return tails.open(wish(more)) ?? assert.fail('there is room')
}

function read(tails: Tails, more: object = {}) {
  const tail = open(tails, more)
  const by = reader()
  const leave = tails.find(tail.key)?.read(by) ?? assert.fail('it is open')
  return { ...tail, by, leave }
}

test('a tail is told of its own Worker, and of no other account’s of that name', () => {
  const tails = openTails({ now: () => 1000 })
  const own = read(tails)
  const other = read(tails, { accountId: 'b'.repeat(32) })
  tails.publish(trace())
  tails.publish(trace({ scriptName: 'other' }))
  assert.deepEqual([own.by.events.length, other.by.events.length], [1, 0])
  tails.publish(trace({ accountId: 'b'.repeat(32) }))
  assert.deepEqual([own.by.events.length, other.by.events.length], [1, 1])
})

test('an event is what wrangler prints, and does not say whose it is', () => {
  const tails = openTails({ now: () => 1000 })
  const { by } = read(tails)
  const stack = 'TypeError: no\n    at email (index.js:1:1)'
  const logs = [{ message: ['hello', { a: 1 }], level: 'log', timestamp: 1 }]
  tails.publish(
    trace({
      logs,
      exceptions: [{ name: 'TypeError', message: 'no', stack, timestamp: 2 }],
      outcome: 'exception',
    }),
  )
  assert.deepEqual(
    by.events.map((event) => JSON.parse(event)),
    [
      {
        outcome: 'exception',
        scriptName: 'mail',
        scriptVersion: { id: 'version-1' },
        exceptions: [
          { name: 'TypeError', message: 'no', timestamp: 2, stack: '    at email (index.js:1:1)' },
        ],
        logs,
        eventTimestamp: 5,
        event: { mailFrom: 'a@x.example', rcptTo: 'b@example.com', rawSize: 9 },
      },
    ],
  )
})

test('keys and ids are nobody’s to guess, and a key that is none’s opens nothing', () => {
  const tails = openTails({ now: () => 1000 })
  const [first, second] = [open(tails), open(tails)]
  assert.match(first.id, /^[0-9a-f]{32}$/)
  assert.match(first.key, /^[\w-]{43}$/)
  assert.notEqual(first.key, second.key)
  for (const none of ['', first.id, `${first.key}x`]) assert.equal(tails.find(none), undefined)
})

test('listed, the newest first; removed by its own Worker alone', () => {
  const tails = openTails({ now: () => 1000, lifeMs: 60_000 })
  const first = read(tails)
  const second = read(tails)
  assert.deepEqual(
    tails.list(PLACE).map(({ id, expiresAt }) => [id, expiresAt]),
    [
      [second.id, 61_000],
      [first.id, 61_000],
    ],
  )
  assert.equal(tails.remove({ ...PLACE, accountId: 'b'.repeat(32) }, first.id), false)
  assert.equal(tails.remove({ ...PLACE, scriptName: 'other' }, first.id), false)
  assert.equal(tails.remove(PLACE, first.id), true)
  assert.equal(tails.remove(PLACE, first.id), false)
  assert.deepEqual([first.by.ends, second.by.ends], [['gone'], []])
  tails.removeAll(PLACE)
  assert.deepEqual([second.by.ends, tails.list(PLACE)], [['gone'], []])
  tails.publish(trace())
  assert.deepEqual(second.by.events, [])
})

test('who reads it later reads alone; who has left is told nothing', () => {
  const tails = openTails({ now: () => 1000 })
  const first = read(tails)
  const later = reader()
  const leave = tails.find(first.key)?.read(later)
  assert.deepEqual(first.by.ends, ['replaced'])
  first.leave()
  tails.publish(trace())
  assert.deepEqual([first.by.events.length, later.events.length], [0, 1])
  leave?.()
  tails.publish(trace())
  assert.equal(later.events.length, 1)
})

test('a Worker has ten that are read, an account fifty; what nobody reads makes room', () => {
  const tails = openTails({ now: () => 1000 })
  const unread = open(tails)
  for (let count = 0; count < 10; count++) read(tails)
  assert.equal(tails.find(unread.key), undefined)
  assert.equal(tails.open(wish()), undefined)
  for (let count = 0; count < 40; count++) read(tails, { scriptName: `worker-${count}` })
  assert.equal(tails.open(wish({ scriptName: 'one-more' })), undefined)
  assert.ok(tails.open(wish({ accountId: 'b'.repeat(32) })))
})

test('it expires, and ends with the process', async () => {
  const tails = openTails({ now: () => 1000, lifeMs: 5 })
  const { promise, resolve } = Promise.withResolvers<TailEnd>()
  // The timer of a tail alone keeps nobody waiting.
  const waiting = setInterval(() => undefined, 1000)
  const tail = open(tails)
  const found = tails.find(tail.key)
  found?.read({ ...reader(), end: resolve })
  assert.equal(await promise, 'expired')
  clearInterval(waiting)
  assert.equal(tails.find(tail.key), undefined)
  assert.equal(found?.read(reader()), undefined)
  const living = openTails({ now: () => 1000 })
  const { by } = read(living)
  living.close()
  assert.deepEqual([by.ends, living.list(PLACE)], [['closing'], []])
})

const request = {
  request: {
    method: 'POST',
    url: 'https://x/',
    headers: { 'x-a': 'some text', 'cf-connecting-ip': '192.0.2.1' },
  },
}
const FILTERS: readonly [filter: TailFilter, more: Partial<WorkerTrace>, passes: boolean][] = [
  [{}, {}, true],
  [{ outcome: ['ok', 'canceled'] }, {}, true],
  [{ outcome: ['exception'] }, {}, false],
  [{ versionId: 'version-1' }, {}, true],
  [{ versionId: 'version-2' }, {}, false],
  [{ query: 'needle' }, {}, false],
  [{ query: 'needle' }, { logs: [{ message: ['a needle'], level: 'log', timestamp: 1 }] }, true],
  [{ query: '"n":1' }, { logs: [{ message: [undefined, { n: 1 }], level: 'log', timestamp: 1 }] }, true],
  [{ method: ['get', 'post'] }, { event: request }, true],
  [{ method: ['GET'] }, { event: request }, false],
  [{ method: ['POST'] }, {}, false],
  [{ header: { key: 'X-A' } }, { event: request }, true],
  [{ header: { key: 'x-a', query: 'some' } }, { event: request }, true],
  [{ header: { key: 'x-a', query: 'other' } }, { event: request }, false],
  [{ header: { key: 'x-b' } }, { event: request }, false],
  [{ header: { key: 'x-a' } }, {}, false],
  [{ clientIp: ['192.0.2.2', '::ffff:192.0.2.1'] }, { event: request }, true],
  [{ clientIp: ['192.0.2.2'] }, { event: request }, false],
  [{ clientIp: [''] }, { event: { request: { headers: {} } } }, false],
  [{ samplingRate: 0.5 }, {}, true],
  [{ samplingRate: 0.2 }, {}, false],
  [{ outcome: ['ok'], query: 'needle' }, {}, false],
]

for (const [index, [filter, more, passes]] of FILTERS.entries()) {
  test(`filter ${index}: ${JSON.stringify(filter)} ${passes ? 'lets through' : 'holds back'}`, () => {
    assert.equal(
      passesFilters(trace(more), [filter], () => 0.3),
      passes,
    )
    assert.equal(
      passesFilters(trace(more), [filter, { outcome: ['exception'] }], () => 0.3),
      false,
    )
  })
}
