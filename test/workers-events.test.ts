import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** What comes to Workers by itself: batches of queues and crons, while processes are killed under them. */
let instance: Instance

async function api(method: string, path: string, body?: unknown): Promise<Record<string, string>> {
  const { dev } = instance
  const response = await fetch(`${dev.api}/accounts/${dev.account_id}${path}`, {
    method,
    headers: { authorization: `Bearer ${dev.api_token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const { errors, result } = JSON.parse(await response.text())
  assert.equal(response.status, 200, JSON.stringify(errors))
  return result
}

async function namespace(title: string): Promise<string> {
  const { id } = await api('POST', '/storage/kv/namespaces', { title })
  assert.ok(id)
  return id
}

async function keys(namespaceId: string): Promise<readonly string[]> {
  const listed: unknown = await api('GET', `/storage/kv/namespaces/${namespaceId}/keys`)
  assert.ok(Array.isArray(listed))
  return listed.map(({ name }) => String(name))
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 40_000; !(await holds()); ) {
    if (Date.now() > end) assert.fail(`it did not come: ${what}\n${instance.log()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function pids(): Promise<readonly number[]> {
  const folder = join(instance.directory, 'workers')
  const names = await readdir(folder)
  const all = names.map((name) => readFile(join(folder, name, 'pid'), 'utf8').then(Number, () => 0))
  return (await Promise.all(all)).filter((pid) => pid > 0)
}

async function queue(name: string, scriptName: string, settings: object): Promise<string> {
  const { queue_id: id } = await api('POST', '/queues', { queue_name: name })
  await api('POST', `/queues/${id}/consumers`, { type: 'worker', script_name: scriptName, settings })
  assert.ok(id)
  return id
}

async function send(queueId: string, bodies: readonly string[]): Promise<void> {
  const messages = bodies.map((body) => ({ body, content_type: 'text' }))
  await api('POST', `/queues/${queueId}/messages/batch`, { messages })
}

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

test('a cron runs, and tells for when', async () => {
  const id = await namespace('ran')
  await deployWorker(instance, 'clock', {
    metadata: { bindings: [{ type: 'kv_namespace', name: 'RAN', namespace_id: id }] },
    modules: {
      'index.js': `export default { async scheduled({ cron, scheduledTime }, env) {
        await env.RAN.put(cron + ' ' + scheduledTime % 60000, '') } }`,
    },
  })
  await api('PUT', '/workers/scripts/clock/schedules', [{ cron: '* * * * *' }])
  // A look at the start takes what is due, which is every minute.
  await instance.restart()
  await until(async () => (await keys(id)).length === 1, 'the run of a cron')
  assert.deepEqual(await keys(id), ['* * * * * 0'])
})

test('what throws is tried again, and ends in the dead letter queue', async () => {
  const id = await namespace('failed')
  await deployWorker(instance, 'fails', {
    metadata: { bindings: [{ type: 'kv_namespace', name: 'SEEN', namespace_id: id }] },
    modules: {
      'index.js': `export default { async queue({ queue, messages: [message] }, env) {
        await env.SEEN.put(queue + ' ' + message.body + ' ' + message.attempts, '')
        if (queue === 'fragile') throw new Error('no') } }`,
    },
  })
  const { queue_id: fragile } = await api('POST', '/queues', { queue_name: 'fragile' })
  const settings = { batch_size: 1, max_wait_time_ms: 0, max_retries: 1 }
  const consumer = { type: 'worker', script_name: 'fails', settings }
  await api('POST', `/queues/${fragile}/consumers`, { ...consumer, dead_letter_queue: 'dead' })
  const all: unknown = await api('GET', '/queues?name=dead')
  assert.ok(Array.isArray(all))
  await api('POST', `/queues/${all[0].queue_id}/consumers`, consumer)
  await send(fragile ?? '', ['a'])
  await until(async () => (await keys(id)).includes('dead a 1'), 'a dead letter')
  assert.deepEqual(await keys(id), ['dead a 1', 'fragile a 1', 'fragile a 2'])
})

test('no message is lost when workerd or the server is killed while a queue drains', async () => {
  const id = await namespace('taken')
  await deployWorker(instance, 'slow', {
    metadata: { bindings: [{ type: 'kv_namespace', name: 'TAKEN', namespace_id: id }] },
    modules: {
      'index.js': `export default { async queue({ messages }, env) {
        await scheduler.wait(100)
        for (const { body } of messages) await env.TAKEN.put(body, '') } }`,
    },
  })
  const settings = { batch_size: 5, max_wait_time_ms: 0, max_retries: 10, max_concurrency: 2 }
  const queueId = await queue('drains', 'slow', settings)
  const bodies = Array.from({ length: 80 }, (_, index) => `message-${100 + index}`)
  await send(queueId, bodies)
  await until(async () => (await keys(id)).length > 0, 'the first messages')
  for (const pid of await pids()) process.kill(pid, 'SIGKILL')
  const left = await pids()
  await until(async () => (await keys(id)).length > 20, 'more of them after workerd was killed')
  await instance.kill()
  await instance.restart()
  await until(
    async () => (await keys(id)).length === bodies.length,
    'all of them after the server was killed',
  )
  assert.deepEqual(await keys(id), bodies)
  assert.ok((await pids()).every((pid) => !left.includes(pid)))
})
