import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { bindServer, type Listening, listenLoopback } from '#net/listen-loopback.ts'
import { UNPARSABLE } from './http-door.ts'

/** A slow sender of a large body may take its time; one that never finishes does not hold a socket for ever, nor does a
 *  reader that does not read. A request without Host is the guard's to answer. */
const TIMES = { requestTimeout: 300_000, keepAliveTimeout: 75_000, requireHostHeader: false }
const IDLE_MS = 120_000
const GRACE_MS = 5000

/** The answer in progress on each connection. */
const answering = new WeakMap<Duplex, ServerResponse>()

/** Opens the HTTP door on both loopback addresses. Closing lets requests in progress finish and ends idle connections. */
export async function listenHttp(
  app: FastifyInstance,
  options: { readonly variable: string; readonly port: number },
): Promise<Listening> {
  await app.ready()
  const servers: Server[] = []
  const create = () => {
    const server = createServer(TIMES, (request, response) => {
      answering.set(request.socket, response)
      app.routing(request, response)
    })
    server.timeout = IDLE_MS
    server.on('clientError', (_error, socket) => {
      // Not HTTP; but an answer to what came before it on the same connection comes first.
      const earlier = answering.get(socket)
      if (earlier && !earlier.writableEnded) earlier.once('close', () => socket.destroy())
      else if (socket.writable) socket.end(UNPARSABLE)
      else socket.destroy()
    })
    servers.push(server)
    return server
  }
  const listening = await listenLoopback(bindServer(create), { door: 'HTTP', ...options })
  return {
    port: listening.port,
    async close() {
      const closed = listening.close()
      for (const server of servers) server.closeIdleConnections()
      // A send in progress gets its answer; a connection that says nothing does not hold the shutdown.
      const late = setTimeout(() => {
        for (const server of servers) server.closeAllConnections()
      }, GRACE_MS)
      await closed
      clearTimeout(late)
      await app.close()
    },
  }
}
