import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { measureQueueDepth } from './queue-depth.ts'

test('2,000 deliveries wait for a dead destination, survive kill -9, and delay nothing else', {
  skip: process.platform === 'linux' ? false : 'memory is read from /proc',
}, async () => {
  const queued = 2_000
  const signal = AbortSignal.timeout(120_000)
  const depth = await measureQueueDepth({ dir: tmpdir(), queued, fresh: 3, signal })
  assert.equal(depth.waiting, queued)
  // Each was delivered when its request was answered.
  for (const ms of [...depth.fresh, ...depth.freshAfterRestart]) assert.ok(Number.isFinite(ms))
  // A fresh instance's is half of this; the bar itself is for `npm run bench -- --queued 100000`.
  for (const { most } of [depth.memory, depth.memoryAfterRestart])
    assert.ok(most > 50 && most < 700, `${Math.round(most)} MB`)
})
