import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { openWorkerCalls } from './worker-calls.ts'

const target = { accountId: 'a', scriptName: 's' }
const asked = (signal?: AbortSignal) => ({
  ...{ method: 'GET', url: 'http://s/', headers: [] },
  ...(signal && { signal }),
})

test('a call is under way until its answer is read, or who asked is gone', async () => {
  const call = openWorkerCalls(async () => ({
    kind: 'answered',
    response: { status: 200, statusText: '', headers: [], body: Readable.from([Buffer.from('x')]) },
  }))
  const gone = new AbortController()
  const first = await call(target, asked())
  for (let others = 0; others < 99; others++) await call(target, asked(gone.signal))
  assert.equal((await call(target, asked())).kind, 'unavailable')
  assert.equal((await call({ ...target, accountId: 'b' }, asked())).kind, 'answered')
  assert.ok(first.kind === 'answered')
  for await (const chunk of first.response.body) assert.equal(String(chunk), 'x')
  assert.equal((await call(target, asked(gone.signal))).kind, 'answered')
  assert.equal((await call(target, asked())).kind, 'unavailable')
  gone.abort()
  assert.equal((await call(target, asked())).kind, 'answered')
})
