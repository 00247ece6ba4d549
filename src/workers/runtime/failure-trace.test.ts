import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRuntime, type RuntimeWorld } from '#test/runtime-world.ts'
import { requestEvent } from './failure-trace.ts'
import type { WorkerRequest } from './host-services.ts'
import type { WorkerTrace } from './worker-trace.ts'

const LOOPS = `console.log('gone with its process'); for (;;);`
const FILLS = `const all = []; for (;;) all.push(new Array(1000).fill(Math.random()))`
const WAITS = `console.log('waits'); await scheduler.wait(60_000)`

const REQUEST: WorkerRequest = {
  ...{ method: 'POST', url: 'http://worker.example/a?b=c' },
  headers: [
    ['X-A', 'b'],
    ['Authorization', 'Bearer very-secret'],
  ],
}
const BATCH = {
  queueName: 'work',
  messages: [{ id: '1', body: Buffer.from('x'), contentType: 'text', attempts: 1, sentAt: 0 }],
} as const

async function traced(world: RuntimeWorld, count = 1): Promise<readonly Partial<WorkerTrace>[]> {
  while (world.traces.length < count) await new Promise((resolve) => setTimeout(resolve, 10))
  return world.traces.map(({ scriptName, outcome, event, logs }) => ({ scriptName, outcome, event, logs }))
}

test('a request whose process is ended has a trace', async () => {
  await using world = await openTestRuntime({ cpuMs: 700 })
  const version = world.version(`export default { fetch() { ${LOOPS} } }`)
  assert.equal((await world.runtime.fetch(version, REQUEST)).kind, 'exceeded-cpu')
  const request = {
    ...{ url: 'http://worker.example/a?b=c', method: 'POST' },
    headers: { 'x-a': 'b', authorization: 'REDACTED' },
  }
  assert.deepEqual(await traced(world), [
    { scriptName: 'worker', outcome: 'exceededCpu', event: { request }, logs: [] },
  ])
})

test('so has one whose answer had begun', async () => {
  await using world = await openTestRuntime({ cpuMs: 700 })
  const version = world.version(`export default { fetch(request, env, ctx) {
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    ctx.waitUntil((async () => { await writer.write(new Uint8Array(9)); await scheduler.wait(50); ${LOOPS} })())
    return new Response(readable) } }`)
  const outcome = await world.runtime.fetch(version, REQUEST)
  assert.ok(outcome.kind === 'answered')
  await assert.rejects(async () => {
    for await (const _ of outcome.response.body);
  })
  const [trace] = await traced(world)
  assert.equal(trace?.outcome, 'exceededCpu')
})

test('a batch and a cron whose process is ended have traces', async () => {
  await using world = await openTestRuntime({ heapMb: 64, cpuMs: 700 })
  const fills = world.version(`export default { queue() { ${FILLS} } }`, { scriptName: 'fills' })
  assert.equal((await world.runtime.queue(fills, BATCH)).kind, 'exceeded-memory')
  const loops = world.version(`export default { scheduled() { ${LOOPS} } }`, { scriptName: 'loops' })
  assert.equal((await world.runtime.scheduled(loops, '* * * * *', 60_000)).kind, 'exceeded-cpu')
  assert.deepEqual(await traced(world, 2), [
    {
      ...{ scriptName: 'fills', outcome: 'exceededMemory', logs: [] },
      event: { queue: 'work', batchSize: 1 },
    },
    {
      ...{ scriptName: 'loops', outcome: 'exceededCpu', logs: [] },
      event: { cron: '* * * * *', scheduledTime: 60_000 },
    },
  ])
})

test('what is late is canceled, with what it logged', async () => {
  await using world = await openTestRuntime({ fetchMs: 300, eventMs: 300 })
  const version = world.version(
    `export default { async fetch() { ${WAITS} }, async queue() { ${WAITS} }, async scheduled() { ${WAITS} } }`,
  )
  const kinds = [
    (await world.runtime.fetch(version, REQUEST)).kind,
    (await world.runtime.queue(version, BATCH)).kind,
    (await world.runtime.scheduled(version, '* * * * *', 60_000)).kind,
  ]
  assert.deepEqual(kinds, ['timeout', 'timeout', 'timeout'])
  await traced(world, 3)
  assert.deepEqual(
    world.traces.map(({ outcome, logs }) => [outcome, logs[0]?.message]),
    [
      ['canceled', ['waits']],
      ['canceled', ['waits']],
      ['canceled', ['waits']],
    ],
  )
})

test('what opens doors is not shown', () => {
  const url = (path: string) => requestEvent({ ...REQUEST, url: `https://a.example/${path}` })
  const shown = (path: string) => ({ request: { ...url('').request, url: `https://a.example/${path}` } })
  assert.deepEqual(url(`x/${'0a'.repeat(16)}?y=1`), shown('x/REDACTED?y=1'))
  assert.deepEqual(url('verify?token=aB3dE5gH7jK9mN1pQ3sT5v&z'), shown('verify?token=REDACTED&z'))
  assert.deepEqual(url('a-path-of-many-long-words'), shown('a-path-of-many-long-words'))
})
