import { type Address, domainOf } from '#model/address.ts'
import type { RoutedDomain } from '#registry/domains/routed-domain.ts'
import type { RoutingRule } from '#registry/routes/rule.ts'
import type { DomainRoutes } from '#registry/routes/rules.ts'
import { matchingKeys, matchRule } from './match-rule.ts'

/** What becomes of mail for an address. */
export type Route =
  | { readonly kind: 'rule'; readonly domain: RoutedDomain; readonly rule: RoutingRule }
  /** The domain is routed here, and nothing of it takes mail for this address. `unused`: nor for any other. */
  | { readonly kind: 'nobody'; readonly domain: RoutedDomain; readonly unused: boolean }
  /** The domain's mail does not come here. */
  | { readonly kind: 'not-ours' }

export interface RouteWorld {
  readonly routedDomain: (name: string) => Promise<RoutedDomain | undefined>
  readonly routesOf: (zoneId: string, domain: string, addressKeys: readonly string[]) => Promise<DomainRoutes>
}

/** Route: which rule a recipient of a stranger's mail matches, as things are now. */
export async function routeOf(recipient: Address, world: RouteWorld): Promise<Route> {
  const domain = await world.routedDomain(domainOf(recipient))
  if (!domain) return { kind: 'not-ours' }
  const keys = matchingKeys(recipient, domain)
  const { rules, catchAll, hasRules } = await world.routesOf(domain.zoneId, domain.name, keys)
  const rule = matchRule(rules, catchAll, recipient, domain)
  if (rule) return { kind: 'rule', domain, rule }
  return { kind: 'nobody', domain, unused: !hasRules && catchAll?.wanted !== true }
}
