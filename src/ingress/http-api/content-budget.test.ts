import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import Fastify from 'fastify'
import { type ContentBudgetOptions, openContentBudget } from './content-budget.ts'

const MB = 1_048_576

/** A server that sends as many octets as the path says, or 429. */
async function serve(t: TestContext, options: ContentBudgetOptions) {
  const contents = openContentBudget(options)
  const app = Fastify()
  app.get<{ Params: { octets: string } }>('/:octets', async ({ params }, reply) => {
    const octets = Number(params.octets)
    return contents.reserve(octets, reply) ? reply.send(Buffer.alloc(octets)) : reply.code(429).send('')
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(async () => {
    app.server.closeAllConnections()
    await app.close()
  })
  const { port } = app.server.address() as AddressInfo
  return {
    async get(octets: number) {
      const answer = await fetch(`http://127.0.0.1:${port}/${octets}`)
      await answer.arrayBuffer()
      return answer.status
    },
    /** Asks and reads no more than the beginning. */
    async stall(octets: number): Promise<Socket> {
      const socket = connect(port, '127.0.0.1')
      socket.write(`GET /${octets} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      await once(socket, 'readable')
      return socket
    },
  }
}

test('what is on its way is bounded together, and small answers pass all the same', async (t) => {
  const server = await serve(t, { most: 20 * MB })
  const stalled = await server.stall(16 * MB)
  assert.deepEqual(
    [await server.get(8 * MB), await server.get(2 * MB), await server.get(1000)],
    [429, 200, 200],
  )
  stalled.destroy()
  while ((await server.get(8 * MB)) === 429) await new Promise(setImmediate)
})

test('an answer that is larger than the bound goes out alone', async (t) => {
  const server = await serve(t, { most: MB })
  assert.deepEqual([await server.get(4 * MB), await server.get(4 * MB)], [200, 200])
})

test('who does not read is hung up on', async (t) => {
  const server = await serve(t, { most: 20 * MB, stallMs: 50 })
  const stalled = await server.stall(20 * MB)
  stalled.on('error', () => {})
  stalled.resume().pause()
  while ((await server.get(8 * MB)) === 429) await new Promise(setImmediate)
})
