import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import { networkOf } from '#net/network-of.ts'
import { ConnectionPlaces } from './connection-places.ts'
import { HalfOpenHandshakes } from './half-open-handshakes.ts'
import type { SmtpHandler, SmtpSession } from './handler.ts'
import type { SmtpFeatures } from './mail-parameters.ts'
import { type ConnectionTerms, type ConnectionTls, ServerConnection } from './server-connection.ts'
import { DEFAULT_LIMITS, type SmtpLimits } from './server-limits.ts'

/** SMTP as a server (RFC 5321), byte-level and strict. In: connections of strangers. Out: a handler's callbacks, which
 *  have all the policy (handler.ts).
 *  Promise: only CRLF ends a line and only CRLF.CRLF ends a content, so no message can smuggle another. A content with
 *  a bare CR or LF is refused, or, where `features.bareLineEnds` says so, handed on as it came; those bytes end nothing
 *  either way. Memory per connection is bounded whatever the peer does. The 250 to a content is written only after the
 *  handler's `end()` has resolved. Nothing a peer sends, and no callback that throws, ends the process. */
export interface SmtpServer {
  /** Opens a listener; may be called for several addresses. Port 0 means any. Rejects with the system's error. */
  listen(at: { readonly host: string; readonly port: number }): Promise<Listener>
  /** Stops listening, says 421 to idle sessions and lets transactions finish for `graceMs`; then ends what is left.
   *  Afterwards it may listen anew. */
  close(options: { readonly graceMs: number }): Promise<void>
  readonly connections: number
}

export interface Listener {
  readonly port: number
  /** Stops listening there; its sessions go on. */
  close(): Promise<void>
}

export interface SmtpServerOptions {
  /** In the greeting and in the reply to EHLO. */
  readonly hostname: string
  readonly handler: SmtpHandler
  readonly tls?: {
    readonly mode: 'implicit' | 'starttls'
    /** Asked at each handshake, so that a renewed certificate is used at once. */
    readonly context: () => SecureContext | TlsOptions
  }
  readonly limits?: Partial<SmtpLimits>
  readonly features?: Partial<SmtpFeatures>
  /** A callback threw: a bug or a broken machine. The peer was told 451. */
  readonly onError?: (error: unknown, session: SmtpSession) => void
}

const DEFAULT_FEATURES: SmtpFeatures = {
  pipelining: true,
  eightBitMime: true,
  smtpUtf8: true,
  requireTls: false,
  bareLineEnds: 'refuse',
}
const TOO_MANY = '421 4.7.0 Too many connections, try again later\r\n'

export function createSmtpServer(options: SmtpServerOptions): SmtpServer {
  const terms = connectionTerms(options)
  const listeners = new Set<Server>()
  const connections = new Set<ServerConnection>()
  const places = new ConnectionPlaces(terms.limits, () => performance.now())
  const wantsLogin = terms.handler.authenticate !== undefined
  let draining: Promise<void> | undefined
  let allClosed: (() => void) | undefined

  function accept(socket: Socket): void {
    const key = networkOf(socket.remoteAddress ?? '')
    // Before connections are counted, as the one that gives way is one of them.
    if (terms.tls?.mode === 'implicit' && !terms.handshakes.makeRoom(key)) return refuse(socket)
    if (!places.makeRoom(key)) return refuse(socket)
    const place = places.enter(key, () => connection.giveWay())
    const connection = new ServerConnection(socket, key, terms, {
      loggedIn: () => places.keep(place),
      // Where mail wants a login, a peer without one is a stranger whatever it says.
      working: wantsLogin ? () => {} : () => places.keep(place),
      waiting: wantsLogin ? () => {} : () => places.wait(place),
      closed() {
        places.leave(place)
        connections.delete(connection)
        if (connections.size === 0) allClosed?.()
      },
    })
    connections.add(connection)
    connection.start()
  }

  function refuse(socket: Socket): void {
    socket.on('error', () => {})
    // In clear text this would only confuse a peer that waits for a handshake.
    if (terms.tls?.mode !== 'implicit') socket.write(TOO_MANY)
    socket.destroySoon()
  }

  function drain(): Promise<void> {
    for (const listener of listeners) listener.close()
    listeners.clear()
    for (const connection of connections) connection.shutDown()
    return new Promise((resolve) => {
      allClosed = resolve
      if (connections.size === 0) resolve()
    })
  }

  async function close(graceMs: number): Promise<void> {
    // Whoever is in more of a hurry may call it again.
    const timer = setTimeout(() => {
      for (const connection of connections) connection.kill()
    }, graceMs)
    draining ??= drain()
    await draining
    draining = undefined
    clearTimeout(timer)
  }

  return {
    listen: async (at) => {
      const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept)
      const port = await listening(listener, at)
      listeners.add(listener)
      return {
        port,
        close: async () => {
          listeners.delete(listener)
          // Not waited for: its callback comes after the last session, while the port is free at once.
          listener.close()
        },
      }
    },
    close: ({ graceMs }) => close(graceMs),
    get connections() {
      return connections.size
    },
  }
}

function connectionTerms(options: SmtpServerOptions): ConnectionTerms {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  return {
    hostname: options.hostname,
    handler: options.handler,
    limits,
    features: { ...DEFAULT_FEATURES, ...options.features },
    handshakes: new HalfOpenHandshakes(limits, () => performance.now()),
    startTls: options.tls?.mode === 'starttls',
    tls: options.tls === undefined ? undefined : connectionTls(options.tls),
    onError: options.onError ?? (() => {}),
  }
}

/** Keys are parsed once for each set of options that `context` returns, not at each handshake. */
function connectionTls(tls: NonNullable<SmtpServerOptions['tls']>): ConnectionTls {
  const parsed = new WeakMap<TlsOptions, SecureContext>()
  return {
    mode: tls.mode,
    options: () => {
      const given = tls.context()
      if ('context' in given) return { secureContext: given }
      const secureContext =
        parsed.get(given) ??
        createSecureContext({
          ...given,
          // RFC 8996 §5; said here so that no flag of the process can say otherwise.
          minVersion: given.minVersion === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
        })
      parsed.set(given, secureContext)
      return { ...(given.SNICallback && { SNICallback: given.SNICallback }), secureContext }
    },
  }
}

function listening(listener: Server, at: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen({ host: at.host, port: at.port }, () => {
      listener.off('error', reject)
      // Out of file descriptors, say: the listener goes on and accepts when there are some again.
      listener.on('error', () => {})
      const address = listener.address()
      resolve(typeof address === 'object' && address !== null ? address.port : at.port)
    })
  })
}
