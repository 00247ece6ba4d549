import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { outcomeOf } from '#notify/notify-watch.ts'
import { openMetrics } from '#observe/metrics.ts'
import { policyStatus, statusClass, workerOutcome } from './metered.ts'
import { meteredRuntime } from './metered-runtime.ts'

test('whatever a stranger answers or a Worker makes up, labels are from short lists', () => {
  const seen = { policy: new Set(), workers: new Set(), notify: new Set(), outcome: new Set() }
  fc.assert(
    fc.property(fc.integer(), fc.string(), (status, text) => {
      seen.policy.add(policyStatus(status))
      seen.workers.add(statusClass(status))
      seen.notify.add(outcomeOf({ kind: 'answered', status, excerpt: text }))
      seen.outcome.add(workerOutcome(text))
    }),
    { numRuns: 2000 },
  )
  assert.ok(seen.policy.size <= 6)
  assert.ok(seen.workers.size <= 7)
  assert.ok(seen.notify.size <= 5)
  assert.ok(seen.outcome.size <= 6)
})

test('statuses are told apart where somebody would do something else', () => {
  assert.deepEqual([200, 404, 405, 503, 'no-handshake' as const].map(policyStatus), [
    ...['200', '404', '405', '503', 'no-handshake'],
  ])
  assert.equal(policyStatus(418), 'other')
  assert.deepEqual([101, 204, 302, 404, 599, 'broken' as const, 999].map(statusClass), [
    ...['1xx', '2xx', '3xx', '4xx', '5xx', 'broken', 'other'],
  ])
  const answered = (status: number) => outcomeOf({ kind: 'answered', status, excerpt: '' })
  assert.deepEqual([200, 299, 301, 410, 500, 700].map(answered), [
    ...['delivered', 'delivered', '3xx', '4xx', '5xx', 'other-status'],
  ])
  assert.equal(outcomeOf({ kind: 'failed', fault: 'dns', detail: '' }), 'dns')
})

test('invocations are measured by event and outcome, those that throw too', async () => {
  const metrics = openMetrics()
  const none = async () => ({ kind: 'unavailable', message: '' }) as const
  const runtime = meteredRuntime(
    {
      email: async () => ({ kind: 'handled', traced: Promise.resolve(undefined) }),
      fetch: none,
      queue: () => Promise.reject(new Error('broken')),
      scheduled: async () => ({ kind: 'done' }),
      tryOut: async () => ({ handlers: [] }),
      stop: async () => {},
      processes: () => 0,
      close: async () => {},
    },
    metrics,
  )
  const version = {} as Parameters<typeof runtime.scheduled>[0]
  await runtime.scheduled(version, '* * * * *', 0)
  await runtime.scheduled(version, '* * * * *', 0)
  await runtime.fetch(version, { method: 'GET', url: 'http://x/', headers: [] })
  await assert.rejects(runtime.queue(version, { queueName: 'q', messages: [] }), /broken/)
  const counts = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('posthorn_worker_invocation_seconds_count'))
  assert.deepEqual(counts, [
    'posthorn_worker_invocation_seconds_count{event="scheduled",outcome="done"} 2',
    'posthorn_worker_invocation_seconds_count{event="fetch",outcome="unavailable"} 1',
    'posthorn_worker_invocation_seconds_count{event="queue",outcome="error"} 1',
  ])
})
