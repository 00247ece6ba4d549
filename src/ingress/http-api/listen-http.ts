import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { bindServer, type Listening, listenLoopback } from '#net/listen-loopback.ts'
import { UNPARSABLE } from './http-door.ts'
import type { TailSockets } from './tail-sockets.ts'

/** A slow sender of a large body may take its time; one that never finishes does not hold a socket for ever, nor does a
 *  reader that does not read. A request without Host is the guard's to answer. */
const TIMES = { requestTimeout: 300_000, keepAliveTimeout: 75_000, requireHostHeader: false }
const IDLE_MS = 120_000
const GRACE_MS = 5000

/** The answer in progress on each connection. */
const answering = new WeakMap<Duplex, ServerResponse>()

export interface HttpListening extends Listening {
  /** Open now. */
  connections(): number
}

/** Opens the HTTP door on both loopback addresses. Closing lets requests in progress finish and ends idle connections. */
export async function listenHttp(
  app: FastifyInstance,
  {
    sockets,
    ...options
  }: { readonly variable: string; readonly port: number; readonly sockets: TailSockets },
): Promise<HttpListening> {
  await app.ready()
  let connections = 0
  const servers: Server[] = []
  const create = () => {
    // What offers another protocol besides, as some clients do with HTTP/2, is a request like any other.
    const shouldUpgradeCallback = (request: IncomingMessage) => sockets.wants(request)
    const server = createServer({ ...TIMES, shouldUpgradeCallback }, (request, response) => {
      answering.set(request.socket, response)
      app.routing(request, response)
    })
    server.timeout = IDLE_MS
    server.on('connection', (socket) => {
      connections++
      socket.once('close', () => connections--)
    })
    server.on('upgrade', (request, socket, head) => sockets.take(request, socket, head))
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
    connections: () => connections,
    async close() {
      const closed = listening.close()
      for (const server of servers) server.closeIdleConnections()
      sockets.close()
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
