import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import type { SmtpHandler, SmtpSession } from './handler.ts'
import type { SmtpFeatures } from './mail-parameters.ts'
import { type ConnectionTerms, type ConnectionTls, ServerConnection } from './server-connection.ts'
import { DEFAULT_LIMITS, type SmtpLimits } from './server-limits.ts'

/** SMTP as a server (RFC 5321), byte-level and strict. In: connections of strangers. Out: a handler's callbacks, which
 *  have all the policy (handler.ts).
 *  Promise: only CRLF ends a line and only CRLF.CRLF ends a content, so no message can smuggle another; a content with
 *  a bare CR or LF is refused. Memory per connection is bounded whatever the peer does. The 250 to a content is written
 *  only after the handler's `end()` has resolved. Nothing a peer sends, and no callback that throws, ends the process. */
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

const TOO_MANY = '421 4.7.0 Too many connections, try again later\r\n'

export function createSmtpServer(options: SmtpServerOptions): SmtpServer {
  const terms = connectionTerms(options)
  const listeners = new Set<Server>()
  const connections = new Set<ServerConnection>()
  const perAddress = new Map<string, number>()
  let draining: Promise<void> | undefined
  let allClosed: (() => void) | undefined

  function accept(socket: Socket): void {
    const key = addressKey(socket.remoteAddress ?? '')
    const fromThere = perAddress.get(key) ?? 0
    const { limits } = terms
    if (connections.size >= limits.connections || fromThere >= limits.connectionsPerAddress)
      return refuse(socket)
    perAddress.set(key, fromThere + 1)
    const connection = new ServerConnection(socket, terms, () => {
      connections.delete(connection)
      const left = (perAddress.get(key) ?? 1) - 1
      if (left > 0) perAddress.set(key, left)
      else perAddress.delete(key)
      if (connections.size === 0) allClosed?.()
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
  return {
    hostname: options.hostname,
    handler: options.handler,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    features: { pipelining: true, eightBitMime: true, smtpUtf8: true, ...options.features },
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
      const secureContext = parsed.get(given) ?? createSecureContext(given)
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

/** Whom connections are counted for: an IPv4 address, or the /64 of an IPv6 address, which is one customer's. */
function addressKey(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '')
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}
