import { openAuthenticator } from '#inbound/authenticate/authenticator.ts'
import { type Feedback, openFeedback } from '#inbound/feedback/feedback.ts'
import type { RoutingWorld } from '#ingress/smtp-mx/mx-handler.ts'
import { createMxServer, type MxOptions } from '#ingress/smtp-mx/mx-server.ts'
import { type MxPeers, openMxPeers } from '#ingress/smtp-mx/peers.ts'
import { sendingDomainOf } from '#model/service.ts'
import { listenLoopback } from '#net/listen-loopback.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import type { Delivery } from '#outbound/deliver/deliver.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { openInbox } from '#sandbox/inbox.ts'
import { createReceiver } from '#sandbox/receiver.ts'
import { openLateReports } from '#simulator/late-reports.ts'
import { sendReport } from '#simulator/send-report.ts'
import { createSimulator } from '#simulator/simulator.ts'
import type { Kept } from './kept.ts'
import { meteredAnswers, meteredAuthenticator } from './metered.ts'
import type { Promised } from './promised.ts'
import type { Registries } from './registries.ts'
import { openRouting } from './routing.ts'
import type { WorkerHands } from './workers.ts'

/** The MX door, with what comes back by mail, and behind it the sandbox: a real SMTP server that gets the mail for every
 *  name that is not ours, and for ours until they route. */
export async function openReceiving(
  kept: Kept,
  registries: Registries,
  promised: Promised,
  opened: AsyncDisposableStack,
) {
  const { domains, resolver, certificate } = registries
  const { notices } = promised
  const { config, log, metrics, store, bodies, service, returnPathKey, feedbackKey, now } = kept
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
  // Ourselves among them: what one domain here forwards to another would prove nothing any more (decision 0010).
  const trustedSealers = [...config.ARC_TRUSTED_SEALERS, service.email]
  const authenticator = meteredAuthenticator(openAuthenticator({ resolver, trustedSealers }), metrics)
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
  const peers = openMxPeers({
    ...{ dns: resolver, log },
    ...(config.MX_BLOCK_LISTS && { blockLists: config.MX_BLOCK_LISTS }),
  })
  let engine: Pick<Delivery, 'attempt'> | undefined
  let workers: WorkerHands | undefined
  const routing = await openRouting(kept, registries, promised, {
    authenticator,
    peers,
    engine: () => engine,
    workers: () => workers,
  })
  const door = createMxServer({
    hostname: service.routes[0],
    certificate,
    feedback,
    routing,
    fallback: createReceiver({ inbox, simulator: { domain: service.simulator, handler: simulator } }),
    log,
    // The sandbox takes whatever was sent, with what we added; and simulated refusals are no errors of the client's.
    limits: {
      messageBytes: 40 * 1_048_576,
      errors: Number.POSITIVE_INFINITY,
      messagesPerConnection: Number.POSITIVE_INFINITY,
      connections: config.MX_CONNECTIONS,
      connectionsPerAddress: config.MX_CONNECTIONS_PER_ADDRESS,
      sessionMs: config.MX_SESSION_MS,
    },
    guard: guardOptions({ config, service, peers, feedback, routing }),
    watched: (handler) => meteredAnswers(handler, metrics),
  })
  opened.defer(() => door.close({ graceMs: 1000 }))
  metrics.connections(() => [{ labels: { door: 'mx' }, value: door.connections }])
  opened.defer(() => reports.close())
  const mx = await listenLoopback((host, port) => door.listen({ host, port }), {
    door: 'the MX',
    variable: 'POSTHORN_MX_PORT',
    port: config.MX_PORT,
  })
  const forwardBy = (delivery: Pick<Delivery, 'attempt'>) => {
    engine = delivery
  }
  const handTo = (hands: WorkerHands) => {
    workers = hands
  }
  return { inbox, mx, forwardBy, handTo }
}

export type Receiving = Awaited<ReturnType<typeof openReceiving>>

/** What strangers meet before the handler does. Whoever is to hear that a listing is wrong stays within reach. */
function guardOptions({
  config,
  service,
  peers,
  feedback,
  routing,
}: Pick<Kept, 'config' | 'service'> & {
  readonly peers: MxPeers
  readonly feedback: Feedback
  readonly routing: RoutingWorld
}): NonNullable<MxOptions['guard']> {
  return {
    peers,
    help: config.MX_BLOCK_LIST_HELP ?? `postmaster@${service.domain}`,
    greetingDelayMs: config.MX_GREETING_DELAY_MS,
    connectionsPerMinute: config.MX_CONNECTIONS_PER_MINUTE,
    messagesPerMinute: config.MX_MESSAGES_PER_MINUTE,
    unknownRecipients: config.MX_UNKNOWN_RECIPIENTS,
    async spared(to) {
      const way = await routing.findWay(to)
      if (way.kind === 'operator' || way.kind === 'return') return true
      const address = parseAddress(to)
      return isAddress(address) && (await feedback.whoIs(address))?.kind === 'return-path'
    },
    refused: ({ session, to, reply }) => routing.recordRefusal(session, to, reply.text),
  }
}
