import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { until } from '#test/queue-world.ts'
import { limitUnread } from './limit-unread.ts'

/** More than lies between two sockets. */
const LONG = 16 * 1_048_576

async function open(limits: Parameters<typeof limitUnread>[1]) {
  const app = Fastify()
  limitUnread(app, limits)
  for (const method of ['GET', 'POST'] as const)
    app.route({ method, url: '/long', handler: async () => ({ result: 'x'.repeat(LONG) }) })
  app.get('/message', async (_request, reply) => reply.send(Buffer.alloc(LONG)))
  app.get('/short', async () => ({ result: 'x' }))
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    base,
    async unread(): Promise<IncomingMessage> {
      const [response] = (await once(get(`${base}/long`), 'response')) as [IncomingMessage]
      return response.on('error', () => {})
    },
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

test('answers that nobody reads keep others from being made', async () => {
  await using door = await open({ most: 2.5 * LONG })
  const unread = [await door.unread(), await door.unread()]
  const refused = await fetch(`${door.base}/long`)
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '5'])
  assert.equal(((await refused.json()) as { success: boolean }).success, false)
  assert.equal((await fetch(`${door.base}/message`)).status, 429)
  assert.equal((await fetch(`${door.base}/short`)).status, 200)
  // What was done is told.
  assert.equal((await (await fetch(`${door.base}/long`, { method: 'POST' })).text()).length, LONG + 13)
  unread[0]?.destroy()
  await until(async () => {
    const { status } = await fetch(`${door.base}/long`)
    return status === 200 ? true : undefined
  })
  unread[1]?.destroy()
})

test('an answer that is not read within its time is taken back', async () => {
  await using door = await open({ readMs: 100 })
  const answer = await door.unread()
  // Only who reads on learns of it.
  await sleep(500)
  await assert.rejects(once(answer.resume(), 'end'), /aborted/)
})
