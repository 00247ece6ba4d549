import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Bodies } from '#bodies/bodies.ts'
import type { TlsWish } from '#model/delivery.ts'
import type { Cause } from '#model/event.ts'
import type { Smarthost } from '#model/smarthost.ts'
import type { Log } from '#observe/log.ts'
import { mailIds, manyMailIds } from '#observe/mail-ids.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import type { Classified } from '#outbound/outcome/classify.ts'
import type { Outcome } from '#outbound/outcome/outcome.ts'
import { type ClaimedDelivery, laneOf } from '#outbound/queue/claimed-delivery.ts'
import { type Lane, laneKey } from '#outbound/queue/lane.ts'
import type { DeliveryEngine, Queue } from '#outbound/queue/queue.ts'
import type { SmtpTimeouts } from '#smtp/client-timeouts.ts'
import { type Attempt, attemptDelivery } from './attempt.ts'
import { openContents } from './contents.ts'
import { type Destination, openDestination } from './destination.ts'
import { holdDeliveries } from './held-deliveries.ts'
import { openLaneRests } from './lane-rests.ts'
import { hopTo, type NextHop, openNextHops, poolKey } from './next-hop.ts'
import { type OpenHost, openHost } from './open-host.ts'
import { openPace, type Pace } from './pace.ts'
import { persistently } from './persistently.ts'
import { limitsOf, type PaceLimits, type PROVIDER_LIMITS } from './provider-limits.ts'
import { classifyNoRoute, type Route, type RouteFailure, type RouteOptions } from './route.ts'
import { openSessionAttempts, type SessionAttempt } from './session-attempts.ts'
import type { TlsPolicies } from './tls-policy.ts'

/** Delivery: claimed deliveries to the recipients' servers. In: the queue, up to the room it is told of. Out: a report
 *  of every attempt to the outcome room. Promise: a taken delivery is held until its report is on disk, or is given
 *  back at shutdown; a slow or silent destination holds its own connections and its lanes' share of the memory, and
 *  nothing else. */
export interface Delivery extends DeliveryEngine {
  /** One attempt of what nobody has promised yet, beside all others: over the same connections, at the same pace. The
   *  verdict comes within `withinMs`. Undefined where the engine has no room for its lane. */
  attempt(delivery: ClaimedDelivery, withinMs: number): SessionAttempt | undefined
  /** Takes no more, gives back what waits, and lets the attempts in progress finish within `graceMs`. */
  stop(graceMs: number): Promise<void>
}

export interface DeliverOptions extends RouteOptions {
  readonly queue: Queue
  readonly outcome: Outcome
  readonly bodies: Bodies
  readonly log: Log
  /** The name we greet with (RFC 5321 §4.1.1.1). */
  readonly ehloName: string
  readonly returnPathTag: (deliveryId: string) => string
  readonly now: () => number
  readonly random: () => number
  readonly policies: TlsPolicies
  /** The server that takes this sender's mail in place of the recipients' own. */
  readonly smarthostFor: (accountId: string, domainId: string | null) => Promise<Smarthost | undefined>
  /** False keeps us from an address altogether. */
  readonly mayDial: (address: string) => boolean
  /** Recipient domains that an operator paused after their mail had been taken. */
  readonly isDomainPaused?: (domain: string) => boolean
  /** MX hosts at which an operator lets nothing be attempted. */
  readonly isPaused: (host: string) => boolean
  /** Authorities that certificates are verified against; the system's where there are none. */
  readonly ca?: string
  /** Own addresses that connections leave from; the system's choice where there is none of the family. */
  readonly sources?: { readonly ipv4?: string; readonly ipv6?: string }
  /** Of a destination that nothing is known of, over all nodes. */
  readonly limits: PaceLimits
  /** The operator's own, before the table of providers. */
  readonly providerLimits?: typeof PROVIDER_LIMITS
  /** Live nodes, this one included. */
  readonly nodes: () => number
  readonly idleMs: number
  /** Those left out are RFC 5321's (§4.5.3.2). */
  readonly timeouts?: Partial<SmtpTimeouts>
}

const MOST_PACES = 5000
/** What waits at a paused host is looked at again after this. */
const PAUSED_MS = 10_000
/** Another node may take this one for dead as early as this after a delivery was claimed. */
const RECHECK_MS = 10_000
/** A connection serves as many before it gives its place to deliveries of its destination that want another one. */
const TURN_MESSAGES = 20
/** Failures that say nothing of how many connections the host takes. */
const UNMET: ReadonlySet<Cause> = new Set(['tls', 'dns', 'smarthost'])
/** For what was aborted to be given back, and for QUIT. */
const GOODBYE_MS = 1000

/** A connection that could not be opened, or broke before it was of use, with what it had in hand. */
interface CutOff {
  readonly deliveries: readonly ClaimedDelivery[]
  readonly report: AttemptReport
  readonly cause: Cause
  readonly classified?: Classified
}

/** Connections of one destination that meet the same demand. */
interface Pool {
  readonly hop: NextHop
  readonly wish: TlsWish
  readonly key: string
}

export function openDelivery(options: DeliverOptions): Delivery {
  const { queue, log, now } = options
  const sessions = openSessionAttempts(options.outcome)
  const { outcome } = sessions
  const held = holdDeliveries(now, () => queue.wake())
  const hops = openNextHops(options)
  const destinations = new Map<string, Destination>()
  const paces = new LRUCache<string, Pace>({ max: MOST_PACES })
  const rests = openLaneRests(() => performance.now())
  const lookups = new Map<string, ClaimedDelivery[]>()
  const spared = new WeakSet<ClaimedDelivery>()
  const work = new Set<Promise<void>>()
  const abort = new AbortController()
  const { signal } = abort
  setMaxListeners(0, signal)
  const attempting = { ...options, contents: openContents(options.bodies), signal }
  let stopping = false

  async function dispatch(delivery: ClaimedDelivery): Promise<void> {
    const simulated = options.direct(delivery.recipientDomain) !== undefined
    const smarthost = simulated ? undefined : await smarthostOf(delivery)
    if (smarthost === 'unknown') return conclude([delivery], () => outcome.stumbled(delivery))
    if (smarthost) bring(hopTo(smarthost), delivery)
    else bringToMx(delivery)
  }

  function smarthostOf(delivery: ClaimedDelivery) {
    const { accountId, domainId } = delivery.message
    return options.smarthostFor(accountId, domainId).catch((error: unknown) => {
      log.error({ err: error, ...mailIds(delivery) }, 'deliver: the smarthost could not be looked up')
      // Not to the MX instead: the account may have good reasons for its smarthost.
      return 'unknown' as const
    })
  }

  /** All that is taken for a domain while its route is looked up shares the answer, and the failure. */
  function bringToMx(delivery: ClaimedDelivery): void {
    const domain = delivery.recipientDomain
    const hop = hops.known(domain)
    const asking = lookups.get(domain)
    if (hop) bring(hop, delivery)
    else if (asking) asking.push(delivery)
    else {
      lookups.set(domain, [delivery])
      keepTrack(lookUp(domain), { domain })
    }
  }

  function bring(hop: NextHop, delivery: ClaimedDelivery): void {
    const paused = options.isDomainPaused?.(delivery.recipientDomain) === true
    if (paused || hop.route.tiers.flat().every(({ name }) => options.isPaused(name))) {
      keepTrack(
        conclude([delivery], () => outcome.putBack([delivery], PAUSED_MS)),
        mailIds(delivery),
      )
    } else if (stopping) {
      keepTrack(
        conclude([delivery], () => outcome.putBack([delivery])),
        mailIds(delivery),
      )
    } else destinationOf(hop, delivery.message.tls).add(delivery)
  }

  async function lookUp(domain: string): Promise<void> {
    const found = await hops.find(domain).catch((error: unknown): RouteFailure => {
      const ids = manyMailIds(lookups.get(domain) ?? [])
      log.error({ err: error, domain, ...ids }, 'deliver: a lookup failed inside')
      return { kind: 'temporary', detail: `lookup of ${domain} failed` }
    })
    const deliveries = lookups.get(domain) ?? []
    lookups.delete(domain)
    if ('route' in found) {
      for (const delivery of deliveries) bring(found, delivery)
    } else if (found.kind === 'temporary') {
      await unreachable({ deliveries, report: { reply: found.detail }, cause: 'dns' })
    } else {
      const { report, classified } = classifyNoRoute(found)
      const refuse = (delivery: ClaimedDelivery) =>
        answered(delivery, () => outcome.refused(delivery, report, classified))
      await Promise.all(deliveries.map(refuse))
    }
  }

  function destinationOf(hop: NextHop, wish: TlsWish): Destination {
    const key = poolKey(hop, wish)
    const known = destinations.get(key)
    if (known) return known
    const connect = () => keepTrack(serve({ hop, wish, key }, destination), { destination: key })
    const destination = openDestination(paceOf(hop.route), connect)
    if (stopping) destination.close()
    destinations.set(key, destination)
    return destination
  }

  /** Kept beyond its last connection: what the destination said of its pace holds for the next one. */
  function paceOf(route: Route): Pace {
    const known = paces.get(route.key)
    if (known) return known
    const hosts = route.tiers.flat().map(({ name }) => name)
    const limits = limitsOf(hosts, options.limits, options.providerLimits)
    const pace = openPace({ limits, clock: () => performance.now(), nodes: options.nodes })
    paces.set(route.key, pace)
    return pace
  }

  /** One connection's life: as many deliveries as it lasts, then QUIT. */
  async function serve({ hop, wish, key }: Pool, destination: Destination): Promise<void> {
    const host = await openHost(hop, wish, attempting).catch((error: unknown): OpenHost => {
      log.error({ err: error, destination: key }, 'deliver: a connection failed inside')
      return { ok: false, report: { reply: 'no connection' }, cause: 'other' }
    })
    const cutOff = host.ok ? await carry(destination, host) : { ...host, deliveries: [] }
    // A host that counts connections counts this one until it is gone.
    if (host.ok && !cutOff) await host.connection.quit()
    if (cutOff) await handleCutOff({ ...cutOff, wish }, destination)
    else destination.ended()
    if (destination.empty && destinations.get(key) === destination) {
      destinations.delete(key)
      destination.dispose()
    }
    if (host.ok && cutOff) await host.connection.quit()
  }

  async function carry(destination: Destination, host: OpenHost & { ok: true }): Promise<CutOff | undefined> {
    const { pace } = destination
    for (let sent = 0; sent < pace.limits.messagesPerConnection && host.connection.usable; sent++) {
      if (sent >= TURN_MESSAGES && destination.crowdedOut) return undefined
      const delivery = await destination.next(options.idleMs)
      if (!delivery) return undefined
      const turnMs = pace.turnMs()
      if (turnMs > 0) await sleep(turnMs, undefined, { signal }).catch(() => undefined)
      // The peer may have closed it while it was idle, with or without a 421.
      if (!host.connection.usable) {
        destination.add(delivery)
        return undefined
      }
      const cutOff = await attempt(delivery, host, pace)
      if (!cutOff) continue
      if (speaksOfPace(cutOff.report)) pace.sentAway()
      // It was of no use; and so may be the next one.
      if (sent === 0 || signal.aborted) return { ...cutOff, deliveries: [delivery] }
      // It was about to close it, and our first word crossed its last: no attempt, but only once, unless it says that
      // others were the reason.
      const isSpared = cutOff.atOnce && (!spared.has(delivery) || speaksOfSession(cutOff.report))
      if (!isSpared) return notNow([delivery], cutOff)
      spared.add(delivery)
      destination.add(delivery)
      return undefined
    }
    return undefined
  }

  /** Out: what ended the connection, if that says nothing of this delivery. */
  async function attempt(
    delivery: ClaimedDelivery,
    host: OpenHost & { ok: true },
    pace: Pace,
  ): Promise<(Attempt & { kind: 'cut-off' }) | undefined> {
    if (options.isDomainPaused?.(delivery.recipientDomain) === true)
      return conclude([delivery], () => outcome.putBack([delivery], PAUSED_MS))
    if (!(await isStillOurs(delivery))) {
      held.release(delivery)
      return undefined
    }
    const result = await attemptDelivery(delivery, host, attempting)
    switch (result.kind) {
      case 'delivered':
        pace.succeeded()
        return answered(delivery, () => outcome.delivered(delivery, result.report))
      case 'refused':
        if (speaksOfRate(result.classified)) pace.tooFast()
        else if (speaksOfMessage(result.classified)) pace.succeeded()
        return answered(delivery, () => outcome.refused(delivery, result.report, result.classified))
      case 'stumbled':
        log.error({ err: result.error, ...mailIds(delivery) }, 'deliver: an attempt failed inside')
        return conclude([delivery], () => outcome.stumbled(delivery))
      case 'cut-off':
        return result
    }
  }

  /** One that was held for long may have expired, or be another node's that took this one for dead. */
  async function isStillOurs(delivery: ClaimedDelivery): Promise<boolean> {
    const standing = sessions.standing(delivery.id)
    if (standing === 'abandoned') {
      sessions.forget(delivery.id)
      return false
    }
    if (standing === 'waits' || Math.abs(now() - held.since(delivery)) < RECHECK_MS) return true
    // A store that cannot say: better twice than never.
    return queue.isClaimed(delivery).catch(() => true)
  }

  /** Somebody who speaks for the recipient said something. */
  async function answered(delivery: ClaimedDelivery, record: () => Promise<void>): Promise<undefined> {
    const lane = laneOf(delivery)
    await conclude([delivery], record)
    if (!rests.end(lane) && !delivery.probe) return
    await persistently(() => outcome.recovered(lane), {
      ...{ signal, log },
      about: { account: lane.accountId, domain: lane.recipientDomain },
    })
  }

  /** Lets deliveries go once what became of them is on disk. Until then they are held: what waits for its record after
   *  a 250 must not be sent again. */
  async function conclude(
    deliveries: readonly ClaimedDelivery[],
    record: () => Promise<unknown>,
  ): Promise<undefined> {
    const about = manyMailIds(deliveries)
    let end = await persistently(record, { signal, log, about })
    // As little as possible then; and if not even that, they stay held, so that nobody here sends them again.
    const stumble = () => Promise.all(deliveries.map((delivery) => outcome.stumbled(delivery)))
    if (end === 'impossible') end = await persistently(stumble, { signal, log, about })
    if (end === 'recorded') for (const delivery of deliveries) held.release(delivery)
  }

  async function handleCutOff(cutOff: CutOff & { wish: TlsWish }, destination: Destination): Promise<void> {
    const waiting = destination.failed(UNMET.has(cutOff.cause) ? 'unmet' : 'refused')
    const deliveries = [...cutOff.deliveries, ...(waiting ?? [])]
    if (signal.aborted) return conclude(deliveries, () => outcome.putBack(deliveries))
    // What one message asks for beyond others is no fault of the lane's.
    if (waiting && cutOff.wish === 'policy') return unreachable({ ...cutOff, deliveries })
    // Other connections of this destination go on: it is no worse than a refusal for now.
    return notNow(deliveries, cutOff)
  }

  async function notNow(
    deliveries: readonly ClaimedDelivery[],
    { report, cause, classified = { permanent: false, cause } }: Omit<CutOff, 'deliveries'>,
  ): Promise<undefined> {
    const refuse = (delivery: ClaimedDelivery) =>
      conclude([delivery], () => outcome.refused(delivery, report, classified))
    await Promise.all(deliveries.map(refuse))
  }

  /** All that waits shares the one failed attempt, lane by lane. */
  async function unreachable({ deliveries, report, cause }: CutOff): Promise<void> {
    const lanes = Map.groupBy(deliveries, (delivery) => laneKey(laneOf(delivery)))
    const rest = async ([first, ...others]: ClaimedDelivery[]) => {
      if (!first) return
      const lane = laneOf(first)
      rests.begin(lane)
      await conclude([first, ...others], async () => {
        rests.last(lane, await outcome.unreachable([first, ...others], report, cause))
      })
    }
    await Promise.all([...lanes.values()].map(rest))
  }

  function keepTrack(promise: Promise<void>, about: object): void {
    const tracked = promise
      .catch((error: unknown) => log.error({ err: error, ...about }, 'deliver: failed inside'))
      .finally(() => work.delete(tracked))
    work.add(tracked)
  }

  async function until(done: () => boolean, withinMs: number): Promise<void> {
    const end = performance.now() + withinMs
    while (!done() && performance.now() < end) await sleep(10)
  }

  function room(lane: Lane): number {
    return stopping || rests.full(lane) ? 0 : held.room(lane)
  }

  function take(delivery: ClaimedDelivery): void {
    const isEarly = rests.isEarly(delivery)
    const kept = held.hold(delivery)
    keepTrack(isEarly ? conclude([kept], () => outcome.putBack([kept])) : dispatch(kept), mailIds(kept))
  }

  return {
    room,
    take,
    attempt(delivery, withinMs) {
      const lane = laneOf(delivery)
      if (room(lane) === 0 || rests.has(lane)) return undefined
      const attempt = sessions.begin(delivery.id, withinMs)
      take(delivery)
      return attempt
    },
    rests: (lane) => rests.has(lane),
    unrest: (lane) => void rests.end(lane),
    holds: (claim) => held.has(claim),
    async stop(graceMs) {
      stopping = true
      const waiting = [...lookups.values(), ...[...destinations.values()].map((each) => each.drain())].flat()
      lookups.clear()
      for (const destination of destinations.values()) destination.close()
      keepTrack(
        conclude(waiting, () => outcome.putBack(waiting)),
        manyMailIds(waiting),
      )
      await until(() => held.size === 0, graceMs)
      abort.abort()
      await until(() => work.size === 0, GOODBYE_MS)
    },
  }
}

/** Replies that ask us to slow down, whoever is meant. */
function speaksOfRate({ cause }: Classified): boolean {
  return cause === 'sender-rate-limited'
}

/** A no that came at full speed shows what the destination bears as well as a yes does. */
function speaksOfMessage({ cause, permanent }: Classified): boolean {
  return permanent || cause === 'greylisted'
}

function speaksOfPace(report: AttemptReport): boolean {
  return report.smtpStatus === 421 && !speaksOfSession(report)
}

/** The 421 of Postfix and others to a session in which they refused much, say twenty unknown recipients: the next
 *  session is as welcome as the first. */
function speaksOfSession({ smtpStatus, reply = '' }: AttemptReport): boolean {
  return smtpStatus === 421 && /\btoo many (?:\w+ ){0,3}(?:errors|commands)\b/i.test(reply)
}
