import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Log } from '#observe/log.ts'
import { isWebSocketKey, webSocketAccept } from '#protocol/web-socket.ts'
import type { Tails } from '#workers/tails/tails.ts'
import { guard } from './guard.ts'
import { beginTailSession } from './tail-session.ts'

/** Where tails are read: the WebSocket of `wrangler tail` (clients.md §3). In: the URL that opening the tail said. Out:
 *  its events, one text frame each. Promise: who does not read costs 1 MiB and an event, then the connection; who has
 *  gone, or may not look any more, is noticed at the next beat. */
export interface TailSockets {
  /** Whether `take()` is to answer; everything else stays an ordinary request. */
  wants(request: IncomingMessage): boolean
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends all tails; who reads has a moment to hear of it. */
  close(): void
}

export interface TailSocketsWorld {
  readonly tails: Tails
  readonly allowedHosts: readonly string[]
  readonly log: Log
  readonly beatMs?: number
}

const PATH = '/tails/'
const PROTOCOL = 'trace-v1'
const BEAT_MS = 30_000
const GRACE_MS = 2000

/** The path of a tail's WebSocket. */
export function tailPath(key: string): string {
  return `${PATH}${key}`
}

export function openTailSockets(world: TailSocketsWorld): TailSockets {
  const { tails, allowedHosts, log, beatMs = BEAT_MS } = world
  const open = new Set<Duplex>()

  async function answer(request: IncomingMessage, socket: Duplex): Promise<void> {
    const shaken = shakeHands(request, allowedHosts)
    if ('status' in shaken) return refuse(socket, shaken)
    const tail = tails.find((request.url ?? '').slice(PATH.length).split('?', 1)[0] ?? '')
    if (!tail || !(await tail.isAllowed())) return refuse(socket, NO_TAIL)
    // Nobody is there any more to be told.
    if (socket.destroyed) return
    if (!beginTailSession(socket, { tail, head: shaken.head }, { log, beatMs })) refuse(socket, NO_TAIL)
  }

  return {
    wants: ({ headers, url = '' }) => headers.upgrade?.toLowerCase() === 'websocket' && url.startsWith(PATH),

    take(request, socket, head) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => open.delete(socket))
      // It keeps connections that are idle for long, which is what a tail is.
      request.socket.setTimeout(0)
      if (head.length > 0) socket.unshift(head)
      answer(request, socket).catch((error: unknown) => {
        log.error({ err: error }, 'http: a tail could not be opened')
        refuse(socket, {
          status: '503 Service Unavailable',
          message: 'The tail could not be opened; try again.',
        })
      })
    },

    close() {
      tails.close()
      for (const socket of open) socket.end()
      setTimeout(() => {
        for (const socket of open) socket.destroy()
      }, GRACE_MS).unref()
    },
  }
}

interface Refused {
  readonly status: string
  readonly message: string
  readonly header?: string
}

const NO_TAIL: Refused = { status: '404 Not Found', message: 'There is no such tail, or no longer.' }

/** RFC 6455 §4.2. */
function shakeHands(
  request: IncomingMessage,
  allowedHosts: readonly string[],
): { readonly head: string } | Refused {
  const { headers, url, rawHeaders, method, httpVersion } = request
  // What another page sends counts as if it changed something: nothing else keeps it from reading (§10.2).
  const unwelcome = guard({ headers, url: url ?? '', rawHeaders, method: 'POST' }, allowedHosts)
  if (unwelcome) return { status: '403 Forbidden', message: unwelcome.detail }
  const key = headers['sec-websocket-key'] ?? ''
  if (method !== 'GET' || httpVersion !== '1.1' || !isWebSocketKey(key))
    return { status: '400 Bad Request', message: 'This is no handshake of a WebSocket.' }
  if (headers['sec-websocket-version'] !== '13') {
    const header = 'Sec-WebSocket-Version: 13\r\n'
    return { status: '426 Upgrade Required', message: 'Use version 13 of the protocol.', header }
  }
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (!protocols.includes(PROTOCOL))
    return { status: '400 Bad Request', message: `Ask for the subprotocol ${PROTOCOL}.` }
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${webSocketAccept(key)}`,
    `Sec-WebSocket-Protocol: ${PROTOCOL}`,
  ]
  return { head: `${lines.join('\r\n')}\r\n\r\n` }
}

function refuse(socket: Duplex, { status, message, header = '' }: Refused): void {
  // Nothing else would end it: it has no timeout any more.
  setTimeout(() => socket.destroy(), GRACE_MS).unref()
  const code = Number(status.slice(0, 3))
  const body = JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null })
  socket.end(
    `HTTP/1.1 ${status}\r\n${header}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
