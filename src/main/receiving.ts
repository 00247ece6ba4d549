import { openAuthenticator } from '#inbound/authenticate/authenticator.ts'
import { openFeedback } from '#inbound/feedback/feedback.ts'
import { createMxServer } from '#ingress/smtp-mx/mx-server.ts'
import { sendingDomainOf } from '#model/service.ts'
import { listenLoopback } from '#net/listen-loopback.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { openInbox } from '#sandbox/inbox.ts'
import { createReceiver } from '#sandbox/receiver.ts'
import { openLateReports } from '#simulator/late-reports.ts'
import { sendReport } from '#simulator/send-report.ts'
import { createSimulator } from '#simulator/simulator.ts'
import type { Kept } from './kept.ts'
import type { Promised } from './promised.ts'
import type { Registries } from './registries.ts'

/** The MX door, with what comes back by mail, and behind it the sandbox: a real SMTP server that gets the mail for every
 *  name that is not ours, and for ours until they route. */
export async function openReceiving(
  kept: Kept,
  { domains, resolver, certificate }: Registries,
  { notices }: Promised,
  opened: AsyncDisposableStack,
) {
  const { config, log, store, bodies, service, returnPathKey, feedbackKey, now } = kept
  const inbox = openInbox({ store, bodies, limit: config.INBOX_LIMIT })
  opened.defer(() => inbox.close())
  const reports = openLateReports({
    send: (mail) =>
      sendReport(
        { host: service.routes[0], address: '127.0.0.1', port: mx.port, ehloName: service.simulator },
        mail,
      ),
    sign: async (content) => signMessage(content, await domains.ensureServiceKeys(), new Date(now())),
    host: service.simulator,
    complaintsFrom: `complaints@${service.email}`,
    complaintsTo: `fbl@${service.email}`,
    now,
    onError: (error) => log.error({ err: error }, 'simulator: a report could not be sent'),
  })
  const simulator = createSimulator({
    keep: async ({ content, ...envelope }) => void (await inbox.add(content, envelope)),
    reports,
  })
  const authenticator = openAuthenticator({ resolver })
  opened.defer(() => authenticator.close())
  const feedback = openFeedback({
    store,
    log,
    now,
    authenticator,
    notices,
    returnPathKeys: [returnPathKey],
    feedbackKeys: [feedbackKey],
    serviceDomain: service.email,
    isReturnPathDomain: async (name) => {
      const sending = sendingDomainOf(name)
      return (
        name === service.email || (sending !== undefined && (await domains.holder(sending)) !== undefined)
      )
    },
  })
  const door = createMxServer({
    hostname: service.routes[0],
    certificate,
    feedback,
    fallback: createReceiver({ inbox, simulator: { domain: service.simulator, handler: simulator } }),
    log,
    // The sandbox takes whatever was sent, with what we added; and simulated refusals are no errors of the client's.
    limits: {
      messageBytes: 40 * 1_048_576,
      errors: Number.POSITIVE_INFINITY,
      messagesPerConnection: Number.POSITIVE_INFINITY,
    },
  })
  opened.defer(() => door.close({ graceMs: 1000 }))
  opened.defer(() => reports.close())
  const mx = await listenLoopback((host, port) => door.listen({ host, port }), {
    door: 'the MX',
    variable: 'POSTHORN_MX_PORT',
    port: config.MX_PORT,
  })
  return { inbox, mx }
}

export type Receiving = Awaited<ReturnType<typeof openReceiving>>
