import type { SecureContext, TlsOptions } from 'node:tls'
import { createSmtpServer, type SmtpServer } from '#smtp/server.ts'
import type { SmtpLimits } from '#smtp/server-limits.ts'
import { type MxWorld, mxHandler } from './mx-handler.ts'

/** The MX door: port 25, where the world's mail servers come. In: transactions of strangers. Out: what comes back about
 *  sent mail for feedback; everything else for `fallback`, and where there is none, nothing: this host relays for
 *  nobody. Promise: a recipient that is none of ours is refused at RCPT, before any content; the 250 to a content comes
 *  when whatever it means is on disk; a session costs a bounded amount of memory and time. */
export interface MxOptions extends MxWorld {
  /** In the greeting. */
  readonly hostname: string
  /** Asked at each handshake. */
  readonly certificate: () => SecureContext | TlsOptions
  /** Other bounds than the server's own. */
  readonly limits?: Partial<SmtpLimits>
}

export function createMxServer(options: MxOptions): SmtpServer {
  const { hostname, certificate, log, limits } = options
  return createSmtpServer({
    hostname,
    handler: mxHandler(options),
    tls: { mode: 'starttls', context: certificate },
    limits: { messagesPerConnection: 10_000, ...limits },
    onError: (error, session) =>
      log.error({ err: error, peer: session.remoteAddress }, 'mx: a callback failed'),
  })
}
