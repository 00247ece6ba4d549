import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { openTestAuthority, type TestAuthority } from './test-authority.ts'

/** What a webhook was sent. */
export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly type: string
  readonly eventId: string
  /** Milliseconds. */
  readonly at: number
}

export type Behaviour = (received: Received, response: ServerResponse, request: IncomingMessage) => void

/** A webhook's other end, on a port of its own. */
export interface Receiver extends AsyncDisposable {
  readonly port: number
  readonly received: readonly Received[]
  /** Connections so far, whatever came of them. */
  readonly connections: () => number
  /** How requests are answered from now on; 200 at first. */
  readonly behave: (behaviour: Behaviour) => void
}

let authority: Promise<TestAuthority> | undefined

/** Whom the receivers' certificates are from. */
export function receiverAuthority(): Promise<TestAuthority> {
  return (authority ??= openTestAuthority())
}

export const OK: Behaviour = (_received, response) => void response.end('thanks')

export function answering(status: number, body = '', headers: Record<string, string> = {}): Behaviour {
  return (_received, response) => void response.writeHead(status, headers).end(body)
}

/** Over TLS for the names, or in the clear where there are none. */
export async function openReceiver(
  names: readonly string[] = [],
  { port = 0, host = '127.0.0.1' } = {},
): Promise<Receiver> {
  const received: Received[] = []
  const sockets = new Set<{ destroy(): void }>()
  let behaviour = OK
  let connections = 0
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = read(request, Buffer.concat(chunks).toString())
      received.push(one)
      behaviour(one, response, request)
    })
  }
  const server: Server =
    names.length === 0
      ? createServer(listener)
      : createHttpsServer(await (await receiverAuthority()).issue(names), listener)
  server.on('connection', (socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    port: address.port,
    received,
    connections: () => connections,
    behave(next) {
      behaviour = next
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function read(request: IncomingMessage, body: string): Received {
  const envelope: unknown = JSON.parse(body)
  const payload: unknown = Reflect.get(Object(envelope), 'payload')
  return {
    ...{ path: request.url ?? '', headers: request.headers, body, at: Date.now() },
    type: String(Reflect.get(Object(envelope), 'type')),
    eventId: String(Reflect.get(Object(payload), 'eventId')),
  }
}
