import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLog } from '#observe/log.ts'
import { StatementFailed } from '#store/statement-failed.ts'
import { StoreFull } from '#store/store.ts'
import { persistently } from './persistently.ts'

const log = openLog('silent')
const { signal } = new AbortController()

test('what the store cannot take now is recorded later', async () => {
  const failures = [new StoreFull('disk full'), new StatementFailed('x', 'the server is starting', '57P03')]
  let calls = 0
  const record = async () => {
    calls++
    const failure = failures.shift()
    if (failure) throw failure
  }
  assert.equal(await persistently(record, { signal, log }), 'recorded')
  assert.equal(calls, 3)
})

test('what no repetition mends is not repeated', async () => {
  for (const code of [1, 19, '23505', '22021', '42703']) {
    let calls = 0
    const record = async () => {
      calls++
      throw new StatementFailed('x', 'no', code)
    }
    assert.equal(await persistently(record, { signal, log }), 'impossible')
    assert.equal(calls, 1)
  }
})

test('a shutdown ends it after one more try', async () => {
  const stop = new AbortController()
  let calls = 0
  const record = async () => {
    calls++
    stop.abort()
    throw new StoreFull('disk full')
  }
  assert.equal(await persistently(record, { signal: stop.signal, log }), 'stopped')
  assert.equal(calls, 1)
  assert.equal(await persistently(async () => undefined, { signal: stop.signal, log }), 'recorded')
})
