import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openSpool } from '#bodies/spool.ts'
import { type ActWorld, act } from '#inbound/act/act.ts'
import { findWay } from '#inbound/act/find-way.ts'
import { senderPath } from '#inbound/act/sender-path.ts'
import { type Authenticator, openAuthenticator } from '#inbound/authenticate/authenticator.ts'
import { openFeedback } from '#inbound/feedback/feedback.ts'
import { createMxServer } from '#ingress/smtp-mx/mx-server.ts'
import type { Address } from '#model/address.ts'
import type { Routed } from '#model/routing.ts'
import { serviceNames } from '#model/service.ts'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import type { Lookup, Resolver } from '#net/resolver.ts'
import { openLog } from '#observe/log.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { changeRoutingSettings } from '#registry/domains/routing-settings.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { openDestinations } from '#registry/routes/destinations.ts'
import type { RuleAction } from '#registry/routes/rule.ts'
import { openRules } from '#registry/routes/rules.ts'
import { memoryShares } from '#smtp/content-buffer.ts'
import type { SmtpLimits } from '#smtp/server-limits.ts'
import { type DeliveryWorld, type DeliveryWorldOptions, openDeliveryWorld } from './delivery-world.ts'
import { type Answered, type StrangersMail, sendTo } from './mx-client.ts'
import { ACCOUNT, type EventSeen, eventsIn } from './outbound.ts'
import type { OpenStore } from './stores.ts'

export const SRS_KEY = { version: 1, key: Buffer.alloc(32, 3) }
const service = serviceNames('posthorn.test')
const API = { source: 'api', ownerWorkerTag: null } as const

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PUBLIC = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const KEY_RECORD = `v=DKIM1; k=rsa; p=${PUBLIC}`

/** TXT records, and names whose DNS does not answer. `pass.example` sends from this machine, `strict.example` wants DMARC
 *  to pass, `signed.example` signs and sends from nowhere, nothing of `broken.example` can be found out. */
const STRANGERS: Readonly<Record<string, string>> = {
  'pass.example': 'v=spf1 ip4:127.0.0.1 -all',
  'mail.pass.example': 'v=spf1 ip4:127.0.0.1 -all',
  'email.posthorn.test': 'v=spf1 ip4:127.0.0.1 -all',
  'fail.example': 'v=spf1 -all',
  'signed.example': 'v=spf1 -all',
  's1._domainkey.signed.example': KEY_RECORD,
  'strict.example': 'v=spf1 -all',
  's1._domainkey.strict.example': KEY_RECORD,
  '_dmarc.strict.example': 'v=DMARC1; p=reject',
  'wary.example': 'v=spf1 ip4:127.0.0.1 -all',
  '_dmarc.wary.example': 'v=DMARC1; p=quarantine; aspf=s',
  's1._domainkey.sealer.example': KEY_RECORD,
}
const BROKEN = /(?:^|\.)broken\.example$/

/** As `domain` would sign it, under the selector `s1`; any further tags stand before the signature's own. */
export function signedBy(domain: string, content: string | Buffer): Promise<Buffer> {
  const octets = typeof content === 'string' ? Buffer.from(content.replaceAll(/\r?\n/g, '\r\n')) : content
  return signMessage(octets, { domain, selector: 's1', key: pair.privateKey }, new Date())
}

/** The key that every signer of the test's DNS has. */
export const SIGNING_KEY = pair.privateKey

export interface RoutedEvent extends EventSeen {
  readonly routed: Routed
}

export interface RuleMore {
  readonly priority?: number
  readonly enabled?: boolean
  readonly verified?: boolean
}

export interface RoutingWorld extends AsyncDisposable {
  readonly outbound: DeliveryWorld
  readonly port: number
  /** TXT records beside those that are always there; '' takes one away. */
  readonly texts: Map<string, string>
  /** Ports on 127.0.0.1 by recipient domain. */
  readonly peers: Map<string, number>
  readonly zone: Zone
  /** `to`: an address, `drop`, or `worker:name`. */
  rule(address: string, to: string, more?: RuleMore): Promise<string>
  catchAll(domain: string, to: string): Promise<string>
  /** Sets routing up for a name below the zone. */
  subdomain(name: string): Promise<void>
  send(mail: Partial<StrangersMail> & Pick<StrangersMail, 'to'>): Promise<Answered>
  /** What the owner of an address's domain reads about its mail, oldest first. */
  eventsOf(recipient: string): Promise<RoutedEvent[]>
  typesOf(recipient: string): Promise<string[]>
  /** Files in the spool. */
  spooled(): Promise<string[]>
  /** Octets of the spool that somebody is charged for. */
  charged(): number
  /** Lets the clock of rewritten addresses go on. */
  pass(ms: number): void
  /** Ends the door, as a shutdown does. */
  closeDoor(graceMs: number): Promise<void>
}

export interface RoutingWorldOptions extends Partial<DeliveryWorldOptions> {
  readonly attemptMs?: number
  readonly operator?: string
  /** The zone, where it is to be another. */
  readonly zoneName?: string
  readonly trustedSealers?: readonly string[]
  /** Of the door. */
  readonly doorLimits?: Partial<SmtpLimits>
  /** Stands between routing and what it acts with. */
  readonly around?: (world: ActWorld) => Partial<ActWorld>
  readonly authenticator?: (real: Authenticator) => Authenticator
}

const SPOOL = 64 * 1024 * 1024

export const LETTER = (subject = 'Hello', more = '') =>
  `From: Someone <someone@pass.example>\nTo: x@routed.example\nSubject: ${subject}\nMessage-ID: <${subject}@pass.example>\n${more}\nHello\n.dot\n`

/** The MX door of a production: what is not ours is refused. Behind it the zone `routed.example` of one account, with real
 *  rules, and the real engine, whose peers are the test's; DNS is the test's too. */
export async function openRoutingWorld(
  open: OpenStore,
  {
    attemptMs = 2000,
    operator,
    zoneName = 'routed.example',
    trustedSealers,
    doorLimits,
    around,
    ...options
  }: RoutingWorldOptions = {},
): Promise<RoutingWorld> {
  const { store, directory } = open
  let skew = 0
  const now = () => Date.now() + skew
  const texts = new Map<string, string>()
  const peers = new Map<string, number>(Object.entries(options.peers ?? {}))
  const resolver = dns(texts)
  const outbound = await openDeliveryWorld(open, {
    resolver,
    endpoints: (host) => {
      const port = peers.get(host.replace(/^mx\./, ''))
      return port === undefined ? undefined : { port, addresses: ['127.0.0.1'] }
    },
    ...options,
  })
  const { queue, notices, domains, delivery } = outbound
  const destinations = openDestinations({ store, clock: Date.now })
  const rules = openRules({ store, clock: Date.now })
  const log = openLog('silent')
  const opened = openAuthenticator({ resolver, threads: 1, ...(trustedSealers && { trustedSealers }) })
  const authenticator = options.authenticator?.(opened) ?? opened
  const memory = memoryShares({ limit: SPOOL, most: SPOOL })
  const disk = memoryShares({ limit: SPOOL, most: SPOOL })
  const spool = await openSpool({ directory, memory, disk, keepFree: 0 })
  const operatorAddress = parseAddress(operator ?? '')
  const srs = { domain: service.email, key: SRS_KEY }
  const ways = {
    routedDomain: (name: string) => domains.routedDomain(name),
    routesOf: (...of: Parameters<typeof rules.routesOf>) => rules.routesOf(...of),
    ...{ service, srsKeys: [SRS_KEY], now },
    ...(isAddress(operatorAddress) && { operator: operatorAddress }),
  }
  const acting: ActWorld = {
    ...{ store, queue, notices, log, authenticator, service, srsKey: SRS_KEY, now, attemptMs },
    attempt: (order, withinMs) => delivery.attempt(order, withinMs),
    ...{ expireMs: 86_400_000, sealsArc: true, loopKey: Buffer.alloc(32, 3) },
    newToken: () => crypto.randomUUID(),
    serviceIdentity: () => domains.ensureServiceKeys(),
    destinations,
    runWorker: async () => 'no-worker',
    sendReply: async () => ({ code: 'E_INTERNAL_SERVER_ERROR', message: 'Nothing is sent here' }),
  }
  const ca = await openCertificateAuthority({ folder: join(directory, 'ca'), serviceDomain: service.domain })
  const server = createMxServer({
    ...{ hostname: service.routes[0], certificate: () => ca.leaf, log },
    feedback: openFeedback({
      ...{ store, log, now, authenticator, notices, serviceDomain: service.email },
      returnPathKeys: [{ version: 1, key: Buffer.alloc(32, 1) }],
      feedbackKeys: [{ version: 1, key: Buffer.alloc(32, 2) }],
      isReturnPathDomain: async (name) => name === `cf-bounce.${zoneName}` || name === service.email,
    }),
    routing: {
      ...{ authenticator, spool, now },
      findWay: (to) => findWay(to, ways),
      recordRefusal: () => {},
      senderPath: (path) => senderPath(path, { ...srs, now: now() }),
      act: (incoming, spf) => act({ ...acting, ...around?.(acting) }, incoming, spf),
    },
    limits: { errors: Number.POSITIVE_INFINITY, ...doorLimits },
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  await domains.ensureServiceKeys()
  const created = await domains.createZone(ACCOUNT, zoneName, { active: true })
  assert.ok(created.kind === 'created', created.kind)
  const { zone } = created
  const scope = { accountId: ACCOUNT, zoneId: zone.id }

  async function route(name: string): Promise<void> {
    const onboarded = await domains.onboardRouting({ ...scope, name, active: true })
    assert.equal(onboarded.kind, 'onboarded', name)
  }

  async function actionOf(to: string, verified: boolean): Promise<RuleAction> {
    if (to === 'drop') return { type: 'drop' }
    const [, worker] = /^worker:(.*)$/.exec(to) ?? []
    if (worker !== undefined) return { type: 'worker', name: worker }
    await destinations.addDestination(ACCOUNT, addressOf(to), { verified })
    return { type: 'forward', to }
  }

  async function eventsOf(recipient: string): Promise<RoutedEvent[]> {
    const events = await eventsIn(store)
    // What the events room wrote.
    return events
      .map((event) => ({ ...event, routed: event.detail['routed'] as Routed }))
      .filter(({ routed }) => routed?.recipient === recipient)
  }

  await route(zoneName)
  await changeRoutingSettings(store, zone, { supportSubaddress: true, at: Date.now(), record: () => [] })

  return {
    ...{ outbound, port, texts, peers, zone, eventsOf },
    subdomain: route,
    async rule(address, to, { verified = true, ...more } = {}) {
      const wish = {
        address: addressOf(address),
        action: await actionOf(to, verified),
        managed: API,
        ...more,
      }
      const made = await rules.create(scope, wish, () => [])
      assert.ok('matcher' in made, JSON.stringify(made))
      return made.id
    },
    async catchAll(domain, to) {
      const wish = { action: await actionOf(to, true), managed: API, enabled: true }
      const made = await rules.setCatchAll(scope, { domain, wish }, () => [])
      assert.ok('matcher' in made, JSON.stringify(made))
      return made.id
    },
    send: (mail) => sendTo(port, { from: 'someone@pass.example', content: LETTER(), ...mail }),
    typesOf: async (recipient) => (await eventsOf(recipient)).map(({ type }) => type),
    spooled: () => readdir(join(directory, 'spool')),
    charged: () => 2 * SPOOL - memory.of('nobody').free - disk.of('nobody').free,
    pass: (ms) => void (skew += ms),
    closeDoor: (graceMs) => server.close({ graceMs }),
    async [Symbol.asyncDispose]() {
      await server.close({ graceMs: 0 })
      await authenticator.close()
      await outbound[Symbol.asyncDispose]()
    },
  }
}

/** Any text that is an address. */
export function addressOf(text: string): Address {
  const address = parseAddress(text)
  assert.ok(isAddress(address), text)
  return address
}

/** Every domain has one MX, as in the world of deliveries, but `nowhere.example`, which does not exist. */
function dns(texts: ReadonlyMap<string, string>): Resolver {
  const absent: Lookup<never> = { kind: 'no-such-name' }
  const failing: Lookup<never> = { kind: 'temporary-failure', detail: 'ESERVFAIL' }
  return {
    async mx(name) {
      if (BROKEN.test(name)) return failing
      if (name === 'nowhere.example') return absent
      return { kind: 'found', records: [{ preference: 10, exchange: `mx.${name}` }] }
    },
    addresses: async (name) => (BROKEN.test(name) ? failing : absent),
    async txt(name) {
      if (BROKEN.test(name)) return failing
      const text = texts.get(name) ?? STRANGERS[name] ?? ''
      return text === '' ? absent : { kind: 'found', records: [text] }
    },
  }
}
