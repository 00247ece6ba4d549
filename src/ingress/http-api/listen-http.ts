import { createServer, type Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { bindServer, type Listening, listenLoopback } from '#net/listen-loopback.ts'
import { UNPARSABLE } from './http-door.ts'

/** Opens the HTTP door on both loopback addresses. Closing lets requests in progress finish and ends idle connections. */
export async function listenHttp(
  app: FastifyInstance,
  options: { readonly variable: string; readonly port: number },
): Promise<Listening> {
  await app.ready()
  const servers: Server[] = []
  const create = () => {
    // A slow sender of a large body may take its time; one that never finishes does not hold a socket for ever.
    const server = createServer({ requestTimeout: 300_000, keepAliveTimeout: 75_000 }, (request, response) =>
      app.routing(request, response),
    )
    server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end(UNPARSABLE)
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
      await closed
      await app.close()
    },
  }
}
