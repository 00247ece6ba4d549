import { noteZones } from '#ingress/http-api/zones.ts'
import { type Address, domainOf, localPartOf } from '#model/address.ts'
import { openAcceptor } from '#outbound/accept/accept.ts'
import { sweepIdempotency } from '#outbound/accept/idempotency.ts'
import { openDelivery } from '#outbound/deliver/deliver.ts'
import { ALWAYS_OPPORTUNISTIC } from '#outbound/deliver/tls-policy.ts'
import { openOutcome } from '#outbound/outcome/outcome.ts'
import { sweepExpired } from '#outbound/outcome/sweep-expired.ts'
import { sweepSettled } from '#outbound/outcome/sweep-settled.ts'
import { encodeCfblFeedbackId } from '#protocol/cfbl-feedback-id.ts'
import { encodeReturnPath } from '#protocol/return-path.ts'
import { cutShort } from '#smtp/client-timeouts.ts'
import type { Kept } from './kept.ts'
import { meteredAcceptor, meteredForwards, meteredOutcome } from './metered.ts'
import type { Promised } from './promised.ts'
import type { Receiving } from './receiving.ts'
import { type Registries, sandboxHost } from './registries.ts'
import { repeat } from './repeat.ts'

/** Accept, deliver, settle; and everything that is looked after by itself. */
export function openSending(
  kept: Kept,
  registries: Registries,
  { pauses, queue, notices }: Promised,
  { mx, forwardBy }: Receiving,
  opened: AsyncDisposableStack,
) {
  const { config, log, metrics, store, bodies, service, incarnation, returnPathKey, feedbackKey } = kept
  const { mayDial, now, random } = kept
  const { domains, mailSetup, smarthosts, destinations, suppressions, quota, rates, reputation } = registries
  const { resolver, ca } = registries
  const recorded = openOutcome({
    store,
    queue,
    notices,
    log,
    retryMs: config.RETRY_MS,
    bodyRetentionMs: config.BODY_RETENTION_MS,
    now,
    random,
  })
  const outcome = meteredOutcome(recorded, kept)
  const ownDoor = { port: mx.port, addresses: ['127.0.0.1'] }
  const sandboxDoor = config.DEV_SINK
    ? { port: config.DEV_SINK.port, addresses: [config.DEV_SINK.host] }
    : ownDoor
  const delivery = openDelivery({
    queue,
    outcome,
    bodies,
    log,
    resolver,
    endpoints: (host) =>
      service.routes.includes(host)
        ? ownDoor
        : host === sandboxHost(service.domain)
          ? sandboxDoor
          : undefined,
    direct: (domain) => (domain === service.simulator ? { name: service.simulator, ...ownDoor } : undefined),
    ehloName: config.EHLO_NAME ?? service.domain,
    sources: {
      ...(config.SOURCE_IPV4 !== undefined && { ipv4: config.SOURCE_IPV4 }),
      ...(config.SOURCE_IPV6 !== undefined && { ipv6: config.SOURCE_IPV6 }),
    },
    privateDestinations: config.PRIVATE_DESTINATIONS === 'deliver',
    returnPathTag: (id) => encodeReturnPath(id, returnPathKey),
    now,
    random,
    // A zone hosted here may name a policy host anywhere: what it says would lead off this machine.
    policies: ALWAYS_OPPORTUNISTIC,
    // Mail of our own is of no domain, and no smarthost of a customer's gets to see it: a verification mail there
    // would prove what it asks.
    smarthostFor: async (accountId, domainId) =>
      domainId === null ? smarthosts.installation : smarthosts.smarthostFor(accountId, domainId),
    mayDial,
    isPaused: (host) => pauses.host(host),
    isDomainPaused: (domain) => pauses.domain(domain),
    nodes: incarnation.nodes,
    limits: {
      connections: config.CONNECTIONS_PER_DESTINATION,
      messagesPerConnection: config.MESSAGES_PER_CONNECTION,
      messagesPerSecond: Number.POSITIVE_INFINITY,
    },
    ...(config.DESTINATION_LIMITS && { providerLimits: config.DESTINATION_LIMITS }),
    ca: ca.certificate,
    idleMs: 5000,
    timeouts: cutShort(config.SMTP_TIMEOUT_MS),
  })
  opened.defer(() => delivery.stop(5000))
  opened.defer(() => queue.stop())
  queue.attach(delivery)
  forwardBy(meteredForwards(delivery, metrics))
  const alwaysSuppressed = (address: Address) =>
    domainOf(address) === service.simulator && /^suppressed(\+|$)/i.test(localPartOf(address))
  const accepting = openAcceptor({
    store,
    queue,
    domains,
    destinations,
    suppressions,
    quota,
    rates,
    host: service.domain,
    expireMs: config.EXPIRE_MS,
    feedbackTag: (id) => encodeCfblFeedbackId(id, feedbackKey),
    alwaysSuppressed,
    now,
  })
  const acceptor = meteredAcceptor(accepting, kept)
  const every = (ms: number, task: () => Promise<unknown>) => opened.use(repeat(ms, task, log))
  every(5000, async () => {
    const expired = await sweepExpired(store, config.BODY_RETENTION_MS, notices, log)
    if (expired > 0) metrics.deliveries({ outcome: 'expired', cause: 'expired', mail: 'any' }, expired)
  })
  every(60_000, () => bodies.sweep(now()))
  every(60_000, () => sweepSettled(store, config.HISTORY_DAYS, now()))
  every(60_000, () => store.commit([sweepIdempotency()]))
  every(60_000, () => suppressions.sweep())
  every(5000, () => reputation.look())
  every(3_600_000, () => reputation.sweep())
  every(60_000, () => domains.zoneControl.checkPending(noteZones('system', domains)))
  every(60_000, () => mailSetup.runDue())
  return { acceptor, alwaysSuppressed }
}

export type Sending = ReturnType<typeof openSending>
