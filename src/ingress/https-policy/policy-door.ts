import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { bindServer, type Listening, listenLoopback } from '#net/listen-loopback.ts'
import { networkPlaces } from '#net/network-places.ts'
import type { Log } from '#observe/log.ts'

/** The HTTPS door of MTA-STS (RFC 8461 §3.3). In: a request for the policy of one domain, by the host's name. Out: that
 *  policy, as text/plain, or 404 for a name that is none of ours. Promise: it reads no more of a request than its header,
 *  keeps nothing of it, and strangers who hold connections take neither memory nor anybody else's place for long. */
export interface PolicyDoorOptions {
  readonly port: number
  /** Both loopback addresses unless an operator configured others. */
  readonly hosts?: readonly string[]
  /** The policy at a host, in lower-case A-labels. */
  readonly policyAt: (host: string) => Promise<string | undefined>
  /** The certificate for a host of ours, or what to show for others. */
  readonly context: (host: string) => Promise<SecureContext>
  readonly log: Log
  /** Told of each answer, and of handshakes that came to nothing. */
  readonly onAnswer?: (status: number | 'no-handshake') => void
  readonly limits?: Partial<PolicyDoorLimits>
}

export interface PolicyDoorLimits {
  /** At once, on each address that the door listens on. */
  readonly connections: number
  /** Of these, from one IPv4 address or one IPv6 /64. */
  readonly connectionsPerNetwork: number
  /** For the handshake, for a request's header, and between two requests. */
  readonly waitMs: number
}

// A sender asks once a day at most (RFC 8461 §3.3), and in one request.
const LIMITS: PolicyDoorLimits = { connections: 500, connectionsPerNetwork: 20, waitMs: 5000 }
const REQUESTS_PER_CONNECTION = 10
const HEADER_OCTETS = 4096

const PATH = '/.well-known/mta-sts.txt'

export async function openPolicyDoor(options: PolicyDoorOptions): Promise<Listening> {
  const limits = { ...LIMITS, ...options.limits }
  const hasPlace = networkPlaces(limits.connectionsPerNetwork)
  const open = new Set<Socket>()

  function place(socket: Socket): void {
    if (!hasPlace(socket)) return
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  }

  const listening = await listenLoopback(
    bindServer(() => {
      const server = createPolicyServer(options, limits)
      server.on('connection', place)
      return server
    }),
    {
      door: 'MTA-STS policies',
      variable: 'POSTHORN_POLICY_PORT',
      port: options.port,
      ...(options.hosts && { hosts: options.hosts }),
    },
  )
  return {
    port: listening.port,
    async close() {
      const closed = listening.close()
      // An answer fits one packet: nobody is halfway through one.
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

function createPolicyServer(options: PolicyDoorOptions, { connections, waitMs }: PolicyDoorLimits): Server {
  const server = createServer(
    {
      minVersion: 'TLSv1.2',
      handshakeTimeout: waitMs,
      headersTimeout: waitMs,
      requestTimeout: waitMs,
      keepAliveTimeout: waitMs,
      connectionsCheckingInterval: Math.min(waitMs, 1000),
      maxHeaderSize: HEADER_OCTETS,
      // RFC 8461 §3.3 has senders name the host; who does not gets no handshake.
      SNICallback: (name, answer) => {
        options.context(hostOf(name)).then(
          (context) => answer(null, context),
          (error: unknown) => {
            options.log.error({ err: error }, 'policy: no certificate could be chosen')
            answer(error instanceof Error ? error : new Error(String(error)))
          },
        )
      },
    },
    (request, response) => {
      response.once('finish', () => options.onAnswer?.(response.statusCode))
      void answer(request, response, options)
    },
  )
  server.maxConnections = connections
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION
  server.timeout = waitMs
  // A stranger's broken handshake is no event of ours.
  server.on('tlsClientError', (_error, socket) => {
    options.onAnswer?.('no-handshake')
    socket.destroy()
  })
  return server
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { policyAt, log }: PolicyDoorOptions,
): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (!isRead) return say(response, 405, 'There are GET and HEAD here.\n', { allow: 'GET, HEAD' })
  if ((request.url ?? '').split('?', 1)[0] !== PATH) return say(response, 404, NOTHING)
  try {
    const policy = await policyAt(hostOf((request.headers.host ?? '').replace(/:\d{1,5}$/, '')))
    return policy === undefined ? say(response, 404, NOTHING) : say(response, 200, policy)
  } catch (error) {
    log.error({ err: error }, 'policy: a request failed inside')
    return say(response, 503, 'The policy cannot be told now.\n')
  }
}

const NOTHING = 'There is no policy here.\n'

function say(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  // Who is refused may have a body to send, which nobody reads.
  if (status !== 200) response.shouldKeepAlive = false
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(text)
}

// RFC 1035 §2.3.4: no name is longer.
const LONGEST_HOST = 255

function hostOf(name: string): string {
  return name.length > LONGEST_HOST ? '' : name.toLowerCase().replace(/\.$/, '')
}
