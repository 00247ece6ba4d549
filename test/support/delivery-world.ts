import type { Lookup, Resolver } from '#net/resolver.ts'
import { openLog } from '#observe/log.ts'
import { type DeliverOptions, type Delivery, openDelivery } from '#outbound/deliver/deliver.ts'
import { ALWAYS_OPPORTUNISTIC } from '#outbound/deliver/tls-policy.ts'
import type { Store } from '#store/store.ts'
import { type DeliveryRow, delivery as deliveryRow, type Outbound, openOutbound, until } from './outbound.ts'

export interface DeliveryWorld extends Outbound {
  readonly delivery: Delivery
  /** The delivery once it is settled. */
  settled(id: string): Promise<DeliveryRow>
  /** The delivery once it has had so many attempts and waits again. */
  putOff(id: string, attempts?: number): Promise<DeliveryRow>
  stop(graceMs: number): Promise<void>
}

export interface DeliveryWorldOptions extends Partial<DeliverOptions> {
  /** Ports on 127.0.0.1 by recipient domain; the MX of `x.example` is `mx.x.example`. */
  readonly peers?: Readonly<Record<string, number>>
  readonly retryMs?: readonly number[]
}

export const LIMITS = {
  connections: 20,
  messagesPerConnection: 1000,
  messagesPerSecond: Number.POSITIVE_INFINITY,
}

const SHORT = {
  connectMs: 2000,
  greetingMs: 400,
  helloMs: 400,
  handshakeMs: 1000,
  mailMs: 400,
  rcptMs: 400,
  dataMs: 400,
  blockMs: 400,
  finalDotMs: 400,
  quitMs: 100,
}

/** The queue, the outcome room and the delivery engine over a real store and real sockets; DNS is the test's. */
export async function openDeliveryWorld(
  at: { readonly store: Store; readonly directory: string },
  options: DeliveryWorldOptions = {},
): Promise<DeliveryWorld> {
  const { peers = {}, retryMs = [50, 100, 200], now = Date.now, ...more } = options
  const outbound = await openOutbound(at.store, at.directory, { retryMs, now })
  const delivery = openDelivery({
    queue: outbound.queue,
    outcome: outbound.outcome,
    bodies: outbound.bodies,
    log: openLog('silent'),
    resolver: mxOfEach(),
    endpoints: (host) => {
      const port = peers[host.replace(/^mx\./, '')]
      return port === undefined ? undefined : { port, addresses: ['127.0.0.1'] }
    },
    direct: () => undefined,
    ehloName: 'posthorn.test',
    returnPathTag: (id) => id,
    now,
    random: () => 0,
    policies: ALWAYS_OPPORTUNISTIC,
    smarthostFor: async () => undefined,
    isPaused: () => false,
    mayDial: () => true,
    nodes: () => 1,
    limits: { ...LIMITS, connections: 4 },
    idleMs: 100,
    timeouts: SHORT,
    ...more,
  })
  outbound.queue.attach(delivery)
  let stopped: Promise<void> | undefined
  const stop = (graceMs: number) => {
    stopped ??= outbound.queue.stop().then(() => delivery.stop(graceMs))
    return stopped
  }
  return {
    ...outbound,
    delivery,
    stop,
    settled: (id) =>
      until(`${id} is settled`, async () => {
        const row = await deliveryRow(outbound.store, id)
        return row.settled_at !== null && row
      }),
    putOff: (id, attempts = 1) =>
      until(`${id} is put off`, async () => {
        const row = await deliveryRow(outbound.store, id)
        return row.attempts >= attempts && row.state === 'waiting' && row
      }),
    async [Symbol.asyncDispose]() {
      await stop(2000)
      await outbound[Symbol.asyncDispose]()
    },
  }
}

/** Every domain has one MX. */
export function mxOfEach(): Resolver {
  const absent: Lookup<never> = { kind: 'no-such-name' }
  return {
    mx: async (name) => ({ kind: 'found', records: [{ preference: 10, exchange: `mx.${name}` }] }),
    addresses: async () => absent,
    txt: async () => absent,
  }
}
