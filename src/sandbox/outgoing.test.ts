import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type OutgoingOptions, openOutgoing } from './outgoing.ts'

const MB = 1024 * 1024

/** A server that sends as many octets as the path says, or 503. */
async function serve(t: TestContext, options: OutgoingOptions) {
  const outgoing = openOutgoing(options)
  const server = createServer((request, response) => {
    const bytes = Number(request.url?.slice(1))
    const fits = outgoing.take(response, bytes) && outgoing.take(response, bytes)
    response.writeHead(fits ? 200 : 503).end(fits ? Buffer.alloc(bytes) : '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    get: async (bytes: number) => {
      const answer = await fetch(`http://127.0.0.1:${port}/${bytes}`)
      await answer.arrayBuffer()
      return answer.status
    },
    /** Asks and reads no more than the beginning. */
    stall: async (bytes: number): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1')
      socket.write(`GET /${bytes} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      await once(socket, 'readable')
      return socket
    },
  }
}

test('answers that nobody reads take up the room, small ones pass, and a hang-up makes room', async (t) => {
  const { get, stall } = await serve(t, { limit: 40 * MB })
  const first = await stall(20 * MB)
  const second = await stall(20 * MB)
  assert.equal(await get(MB), 503)
  assert.equal(await get(1000), 200)
  first.destroy()
  while ((await get(MB)) !== 200);
  assert.equal(await get(19 * MB), 200)
  assert.equal(await get(19 * MB), 200, 'what was sent is given back')
  second.destroy()
})

test('an answer larger than all the room goes out alone', async (t) => {
  const { get } = await serve(t, { limit: MB })
  assert.equal(await get(20 * MB), 200)
  assert.equal(await get(20 * MB), 200)
})

test('a client that takes nothing is hung up on', async (t) => {
  const { get, stall } = await serve(t, { limit: MB, stallMs: 100 })
  const stalled = await stall(20 * MB)
  while ((await get(MB)) !== 200);
  stalled.destroy()
})
