import type { Bodies } from '#bodies/bodies.ts'
import type { Log } from '#observe/log.ts'
import type { Outcome } from '#outbound/outcome/outcome.ts'
import type { ClaimedDelivery, Lane } from '#outbound/queue/claimed-delivery.ts'
import type { DeliveryEngine, Queue } from '#outbound/queue/queue.ts'
import { type Attempt, attemptDelivery } from './attempt.ts'
import { type Destination, openDestination } from './destination.ts'
import { type OpenHost, openHost } from './open-host.ts'
import { findRoute, type Route, type RouteFailure, type RouteOptions } from './route.ts'

/** Delivery: claimed deliveries to the recipients' servers. In: the queue, up to the room it is told of. Out: a report
 *  of every attempt to the outcome room. Promise: each taken delivery is reported exactly once, or given back at
 *  shutdown; a slow or silent destination holds its own connections and nothing else. */
export interface Delivery extends DeliveryEngine {
  /** Takes no more, lets the attempts in progress finish within `graceMs`, gives the rest back. */
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
  readonly connectionsPerDestination: number
  readonly messagesPerConnection: number
  readonly idleMs: number
}

/** Deliveries that one destination may hold in memory, attempted or not; the others wait in the store. */
const MOST_PER_DESTINATION = 500
const MOST_IN_MEMORY = 5_000
const ROUTE_TTL_MS = 10_000

export function openDelivery(options: DeliverOptions): Delivery {
  const { queue, outcome, log, now } = options
  const destinations = new Map<string, Destination>()
  const routes = new Map<string, { readonly until: number; readonly route: Promise<Route | RouteFailure> }>()
  const resting = new Map<string, number>()
  const lanes = new Map<string, number>()
  let taken = 0
  let stopping = false
  const stop = new AbortController()

  const laneKey = (lane: Lane) => `${lane.accountId} ${lane.recipientDomain}`
  const laneOf = (delivery: ClaimedDelivery): Lane => ({
    accountId: delivery.message.accountId,
    recipientDomain: delivery.recipientDomain,
  })

  function routeOf(domain: string): Promise<Route | RouteFailure> {
    const known = routes.get(domain)
    if (known && known.until > now()) return known.route
    if (routes.size > 10_000) routes.clear()
    const route = findRoute(domain, options)
    routes.set(domain, { until: now() + ROUTE_TTL_MS, route })
    return route
  }

  function destinationOf(route: Route): Destination {
    let destination = destinations.get(route.key)
    if (!destination) {
      destination = openDestination(options.connectionsPerDestination, () => {
        serve(route, destinationOf(route)).catch((error: unknown) =>
          log.error({ err: error, destination: route.key }, 'deliver: a connection failed inside'),
        )
      })
      destinations.set(route.key, destination)
    }
    return destination
  }

  /** One connection's life: as many deliveries as it lasts, then QUIT. */
  async function serve(route: Route, destination: Destination): Promise<void> {
    const host = await openHost(route, { ...options, signal: stop.signal })
    if (!host.ok) {
      await unreachable(destination.failed(), host)
      if (destination.empty) destinations.delete(route.key)
      return
    }
    destination.opened()
    try {
      for (let sent = 0; sent < options.messagesPerConnection && host.connection.usable; sent++) {
        const delivery = await destination.next(options.idleMs)
        if (!delivery) break
        // The peer may have closed it while it was idle, with or without a 421.
        const again = host.connection.usable ? await attempt(delivery, host, sent > 0) : delivery
        if (again) destination.add(again)
      }
    } finally {
      destination.released()
      if (destination.empty) destinations.delete(route.key)
      if (host.connection.usable) await host.connection.quit()
    }
  }

  /** Out: the delivery, if a kept connection turned out to be closed before the content was sent: no attempt at all. */
  async function attempt(
    delivery: ClaimedDelivery,
    host: OpenHost & { ok: true },
    kept: boolean,
  ): Promise<ClaimedDelivery | undefined> {
    try {
      const result = await attemptDelivery(delivery, host, options)
      if (kept && result.kind === 'lost-early') return delivery
      await report(delivery, result)
    } catch (error) {
      // Ours, not the recipient's: the delivery keeps its claim and is tried again after a restart or by the sweeper.
      log.error({ err: error, delivery: delivery.id }, 'deliver: attempt failed inside')
      await outcome.putBack([delivery]).catch(() => undefined)
    }
    forget(delivery)
    return undefined
  }

  async function report(delivery: ClaimedDelivery, result: Attempt): Promise<void> {
    const key = laneKey(laneOf(delivery))
    if (resting.has(key) && result.answered) {
      resting.delete(key)
      await outcome.recovered(delivery.message.accountId, delivery.recipientDomain)
    }
    if (result.kind === 'delivered') await outcome.delivered(delivery, result.report)
    else await outcome.refused(delivery, result.report, result.classified)
  }

  /** All that waits for this destination shares the one failed attempt, lane by lane. */
  async function unreachable(waiting: ClaimedDelivery[], failure: OpenHost & { ok: false }): Promise<void> {
    const byLane = Map.groupBy(waiting, (delivery) => laneKey(laneOf(delivery)))
    for (const [key, [first, ...others]] of byLane) {
      if (!first) continue
      resting.set(key, Number.POSITIVE_INFINITY)
      try {
        const until = await outcome.unreachable([first, ...others], failure.report, failure.cause)
        resting.set(key, until)
      } finally {
        for (const delivery of [first, ...others]) forget(delivery)
      }
    }
  }

  async function dispatch(delivery: ClaimedDelivery): Promise<void> {
    const route = await routeOf(delivery.recipientDomain)
    if (!('kind' in route)) return destinationOf(route).add(delivery)
    try {
      if (route.kind === 'temporary') {
        const until = await outcome.unreachable([delivery], { reply: route.detail }, 'dns')
        resting.set(laneKey(laneOf(delivery)), until)
        return
      }
      // RFC 7505 §4.1 and RFC 3463: 5.1.10 for a null MX, 5.1.2 for a domain that does not exist.
      const enhancedStatus = route.kind === 'null-mx' ? '5.1.10' : '5.1.2'
      await outcome.refused(
        delivery,
        { reply: `${enhancedStatus} ${route.detail}`, enhancedStatus },
        { permanent: true, cause: 'recipient-domain-unknown', suppression: { reason: 'hard_bounce', forMs: null } },
      )
    } finally {
      forget(delivery)
    }
  }

  function forget(delivery: ClaimedDelivery): void {
    taken--
    const key = laneKey(laneOf(delivery))
    const left = (lanes.get(key) ?? 1) - 1
    if (left === 0) lanes.delete(key)
    else lanes.set(key, left)
    // Room became free where the queue had been told that there was none.
    if (left === MOST_PER_DESTINATION / 2 || taken === MOST_IN_MEMORY / 2) queue.wake()
  }

  return {
    room(lane) {
      if (stopping || taken >= MOST_IN_MEMORY) return 0
      const key = laneKey(lane)
      const until = resting.get(key)
      if (until !== undefined && until > now()) return 0
      return Math.max(0, MOST_PER_DESTINATION - (lanes.get(key) ?? 0))
    },
    take(delivery) {
      taken++
      const key = laneKey(laneOf(delivery))
      lanes.set(key, (lanes.get(key) ?? 0) + 1)
      dispatch(delivery).catch((error: unknown) =>
        log.error({ err: error, delivery: delivery.id }, 'deliver: dispatch failed'),
      )
    },
    async stop(graceMs) {
      stopping = true
      const waiting = [...destinations.values()].flatMap((destination) => destination.drain())
      await outcome.putBack(waiting)
      for (const delivery of waiting) forget(delivery)
      const end = Date.now() + graceMs
      while (taken > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
      stop.abort()
      for (const destination of destinations.values()) destination.close()
    },
  }
}
