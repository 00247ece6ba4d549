import { LRUCache } from 'lru-cache'
import type { TlsWish } from '#model/delivery.ts'
import type { Smarthost } from '#model/smarthost.ts'
import { findRoute, type Route, type RouteFailure, type RouteOptions } from './route.ts'
import type { TlsPolicies, TlsPolicy } from './tls-policy.ts'

/** Where mail goes next, and what protects it there. */
export interface NextHop {
  readonly route: Route
  readonly policy: TlsPolicy
}

export interface NextHops {
  /** What is known already. */
  known(domain: string): NextHop | undefined
  /** Route and TLS policy of a recipient domain, asked for at the same time. */
  find(domain: string): Promise<NextHop | RouteFailure>
}

const ROUTE_TTL_MS = 10_000
const MOST_ROUTES = 10_000
const OPPORTUNISTIC: TlsPolicy = { kind: 'opportunistic' }

export function openNextHops(options: RouteOptions & { readonly policies: TlsPolicies }): NextHops {
  // By a clock that does not step.
  const hops = new LRUCache<string, NextHop>({ max: MOST_ROUTES, ttl: ROUTE_TTL_MS, ttlResolution: 10 })
  return {
    known: (domain) => hops.get(domain),
    async find(domain) {
      const [route, policy] = await Promise.all([
        findRoute(domain, options),
        options.direct(domain) ? OPPORTUNISTIC : options.policies.policyFor(domain),
      ])
      if (!('tiers' in route)) return route
      const hop = { route, policy }
      hops.set(domain, hop)
      return hop
    },
  }
}

/** A smarthost takes the mail as its operator set it up; the recipient domain's policy is its business. */
export function hopTo(smarthost: Smarthost): NextHop {
  const host = { name: smarthost.host, port: smarthost.port, smarthost }
  return { route: { key: `smarthost:${smarthost.id}`, tiers: [[host]] }, policy: OPPORTUNISTIC }
}

/** Connections serve what has the same demand: one that was verified never gives way to one in clear. */
export function poolKey({ route, policy }: NextHop, wish: TlsWish): string {
  if (wish === 'policy' && policy.kind === 'opportunistic') return route.key
  const terms = policy.kind === 'opportunistic' ? 'opportunistic' : `${policy.mode} ${policy.mx.join()}`
  return `${route.key} ${wish} ${terms}`
}
