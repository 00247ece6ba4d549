import type { SecureContext, TlsOptions } from 'node:tls'
import type { SmtpHandler } from '#smtp/handler.ts'
import { createSmtpServer, type SmtpServer } from '#smtp/server.ts'
import type { SmtpLimits } from '#smtp/server-limits.ts'
import { type GuardOptions, guardDoor } from './guard-door.ts'
import { type MxWorld, mxHandler } from './mx-handler.ts'

/** The MX door: port 25, where the world's mail servers come. In: transactions of strangers. Out: what comes back about
 *  sent mail for feedback; everything else for `fallback`, and where there is none, nothing: this host relays for
 *  nobody. Promise: a recipient that is none of ours is refused at RCPT, before any content; the 250 to a content comes
 *  when whatever it means is on disk; a session costs a bounded amount of memory and time, and so do all sessions of a
 *  network together. */
export interface MxOptions extends MxWorld {
  /** In the greeting. */
  readonly hostname: string
  /** Asked at each handshake. */
  readonly certificate: () => SecureContext | TlsOptions
  /** Other bounds than the server's own. */
  readonly limits?: Partial<SmtpLimits>
  /** What strangers are asked before the handler is. */
  readonly guard?: Omit<GuardOptions, 'log'>
  /** Put before all of it, to see what is answered. */
  readonly watched?: (handler: SmtpHandler) => SmtpHandler
}

/** A content of the largest size at the slowest rate takes 53 minutes, and there may be another behind it. */
const SESSION_MS = 2 * 3_600_000

export function createMxServer(options: MxOptions): SmtpServer {
  const { hostname, certificate, log, limits, guard, watched = (handler) => handler } = options
  return createSmtpServer({
    hostname,
    handler: watched(guardDoor(mxHandler(options), { ...guard, log })),
    tls: { mode: 'starttls', context: certificate },
    limits: { messagesPerConnection: 10_000, sessionMs: SESSION_MS, ...limits },
    onError: (error, session) =>
      log.error({ err: error, peer: session.remoteAddress }, 'mx: a callback failed'),
  })
}
