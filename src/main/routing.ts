import { openSpool } from '#bodies/spool.ts'
import { act } from '#inbound/act/act.ts'
import { findWay } from '#inbound/act/find-way.ts'
import { openRefusalRecords } from '#inbound/act/record-refusals.ts'
import { senderPath } from '#inbound/act/sender-path.ts'
import type { Authenticator } from '#inbound/authenticate/authenticator.ts'
import type { RoutingWorld } from '#ingress/smtp-mx/mx-handler.ts'
import type { MxPeers } from '#ingress/smtp-mx/peers.ts'
import type { Delivery } from '#outbound/deliver/deliver.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { memoryShares } from '#smtp/content-buffer.ts'
import type { HostError } from '#workers/runtime/host-services.ts'
import type { Kept } from './kept.ts'
import type { Promised } from './promised.ts'
import type { Registries } from './registries.ts'
import type { WorkerHands } from './workers.ts'

const NOT_READY: HostError = { code: 'E_INTERNAL_SERVER_ERROR', message: 'The service is starting.' }

/** What comes in for routed domains, from the rule to the answer. Until an engine is there, forwards are promised;
 *  until Workers are at work, there is none. */
export async function openRouting(
  { config, log, store, service, vault, now }: Kept,
  { domains, rules, destinations }: Registries,
  { queue, notices }: Promised,
  world: {
    readonly authenticator: Authenticator
    readonly peers: MxPeers
    readonly engine: () => Pick<Delivery, 'attempt'> | undefined
    readonly workers: () => WorkerHands | undefined
  },
): Promise<RoutingWorld> {
  const { authenticator, peers, engine, workers } = world
  const srsKey = { version: 1, key: vault.macKey('srs', 1) }
  const share = (limit: number) => memoryShares({ limit, most: limit / 2 })
  const spool = await openSpool({
    directory: config.DATA,
    memory: share(config.MX_SPOOL_MEMORY),
    disk: share(config.MX_SPOOL_DISK),
  })
  const operator = parseAddress(config.OPERATOR_ADDRESS ?? '')
  const ways = {
    routedDomain: (name: string) => domains.routedDomain(name),
    routesOf: (...of: Parameters<typeof rules.routesOf>) => rules.routesOf(...of),
    ...{ service, srsKeys: [srsKey], now },
    ...(isAddress(operator) && { operator }),
  }
  const acting = {
    ...{ store, queue, notices, log, authenticator, service, srsKey, now, destinations },
    loopKey: vault.macKey('forward-loop'),
    attempt: (...of: Parameters<Delivery['attempt']>) => engine()?.attempt(...of),
    attemptMs: config.FORWARD_WAIT_MS,
    expireMs: config.EXPIRE_MS,
    newToken: () => crypto.randomUUID(),
    serviceIdentity: () => domains.ensureServiceKeys(),
    sealsArc: config.ARC_SEAL,
    runWorker: async (...of: Parameters<WorkerHands['runWorker']>) =>
      workers()?.runWorker(...of) ?? ('no-worker' as const),
    sendReply: async (...of: Parameters<WorkerHands['sendReply']>) =>
      workers()?.sendReply(...of) ?? NOT_READY,
  }
  const recordRefused = openRefusalRecords({ store, findWay: (to) => findWay(to, ways), now })
  return {
    findWay: (to) => findWay(to, ways),
    recordRefusal({ id: sessionId, remoteAddress, envelope }, to, reason) {
      const refused = { sessionId, remoteAddress, mailFrom: envelope.from ?? '', to, reason }
      recordRefused(refused).catch((error: unknown) => {
        log.error({ err: error }, 'mx: a refusal was not recorded')
      })
    },
    senderPath: (path) => senderPath(path, { domain: service.email, key: srsKey, now: now() }),
    act: (incoming, spf) => act(acting, incoming, spf),
    ...{ authenticator, spool, peers, now },
  }
}
