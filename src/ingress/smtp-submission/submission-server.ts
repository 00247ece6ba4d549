import type { SecureContext, TlsOptions } from 'node:tls'
import { createSmtpServer, type SmtpServer } from '#smtp/server.ts'
import type { SmtpLimits } from '#smtp/server-limits.ts'
import { openLoginDelays } from './login-delays.ts'
import { type SubmissionWorld, submissionHandler } from './submission-handler.ts'

/** The submission door (sending-smtp.md): SMTP with implicit TLS, for applications that log in with an API token. In:
 *  transactions of strangers. Out: raw messages for accept, each in the name of one account. Promise: nothing passes
 *  without a token that may send, and nothing from a domain that is not its account's; the 250 with the Message-ID comes
 *  when the message is on disk; before the login a connection costs a bounded amount of memory and time. */
export interface SubmissionOptions extends Omit<SubmissionWorld, 'delays' | 'messageBytes'> {
  /** In the greeting. */
  readonly hostname: string
  /** Asked at each handshake. */
  readonly certificate: () => SecureContext | TlsOptions
  readonly connections: number
  readonly connectionsPerAddress: number
  /** Other bounds than the door's own: nobody wants to wait out a timeout of five minutes to see it. */
  readonly limits?: Partial<SmtpLimits>
}

/** platform-limits.md; on this door verified destinations make no difference (DECISIONS). */
const MESSAGE_BYTES = 5 * 1_048_576
const RECIPIENTS = 50

export function createSubmissionServer(options: SubmissionOptions): SmtpServer {
  const { hostname, certificate, connections, connectionsPerAddress, log, now } = options
  const { messageBytes = MESSAGE_BYTES } = options.limits ?? {}
  return createSmtpServer({
    hostname,
    handler: submissionHandler({ ...options, messageBytes, delays: openLoginDelays({ now }) }),
    tls: { mode: 'implicit', context: certificate },
    // curl sends a text file with the line ends that it has, and the specification's first example is one.
    features: { bareLineEnds: 'accept', requireTls: true },
    limits: {
      messageBytes: MESSAGE_BYTES,
      recipients: RECIPIENTS,
      connections,
      connectionsPerAddress,
      handshakes: connections,
      handshakesPerAddress: connectionsPerAddress,
      messagesPerConnection: 10_000,
      beforeAuthMs: 120_000,
      authMs: 30_000,
      dataMs: 300_000,
      ...options.limits,
    },
    onError: (error, session) =>
      log.error({ err: error, peer: session.remoteAddress }, 'submission: a callback failed'),
  })
}
