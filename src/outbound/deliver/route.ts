import { isIP } from 'node:net'
import type { Smarthost } from '#model/smarthost.ts'
import { isPublicAddress } from '#net/private-address.ts'
import type { MxRecord, Resolver } from '#net/resolver.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import type { Classified } from '#outbound/outcome/classify.ts'

/** Where mail for a domain goes: the hosts of its MX set, in tiers of equal preference, the best first. */
export interface Route {
  /** Names the destination: domains with the same MX set share connections and pace (promise 4). */
  readonly key: string
  readonly tiers: readonly (readonly MxHost[])[]
}

export interface MxHost {
  readonly name: string
  readonly port: number
  /** Already known addresses; otherwise they are resolved when the host is tried. */
  readonly addresses?: readonly string[]
  readonly smarthost?: Smarthost
}

export type RouteFailure =
  | { readonly kind: 'no-such-domain'; readonly detail: string }
  | { readonly kind: 'null-mx'; readonly detail: string }
  | { readonly kind: 'temporary'; readonly detail: string }

/** Names that this installation reaches itself: its own doors, the simulator, the sandbox. Only they may lie in
 *  private address space, and only they have a port other than 25. */
export type Endpoints = (
  host: string,
) => { readonly port: number; readonly addresses: readonly string[] } | undefined

export interface RouteOptions {
  readonly resolver: Resolver
  readonly endpoints: Endpoints
  /** Recipient domains that no DNS resolves, such as the simulator's. */
  readonly direct: (domain: string) => MxHost | undefined
  /** Whether DNS may lead into private address space: an installation whose recipients live there. */
  readonly privateDestinations?: boolean
}

/** A domain with more is a stranger's attempt to keep us busy; those it likes least are left out. */
const MOST_HOSTS = 16

/** RFC 5321 §5.1: MX by preference; without MX the domain's own address; a null MX (RFC 7505) and a name that does
 *  not exist are permanent, a failing resolver is not. */
export async function findRoute(domain: string, options: RouteOptions): Promise<Route | RouteFailure> {
  const direct = options.direct(domain)
  if (direct) return { key: `direct:${direct.name}`, tiers: [[direct]] }
  const answer = await options.resolver.mx(domain)
  switch (answer.kind) {
    case 'temporary-failure':
      return { kind: 'temporary', detail: `MX lookup of ${domain} failed: ${answer.detail}` }
    case 'no-such-name':
      return { kind: 'no-such-domain', detail: `${domain} does not exist in DNS` }
    case 'no-data':
      return implicitMx(domain, options)
    case 'found': {
      // RFC 7505 §3: beside other records a null MX means nothing.
      const records = answer.records.filter(({ exchange }) => exchange !== '')
      if (records.length === 0) return { kind: 'null-mx', detail: `${domain} accepts no mail (null MX)` }
      const tiers = namesByPreference(records)
      return {
        key: tiers.map((names) => names.join('=')).join('>'),
        tiers: tiers.map((names) => names.map((name) => host(name, options.endpoints))),
      }
    }
  }
}

/** No MX: the domain itself is the host, if it has an address (RFC 5321 §5.1). */
async function implicitMx(domain: string, options: RouteOptions): Promise<Route | RouteFailure> {
  const answer = await options.resolver.addresses(domain)
  switch (answer.kind) {
    case 'temporary-failure':
      return { kind: 'temporary', detail: `address lookup of ${domain} failed: ${answer.detail}` }
    case 'no-such-name':
    case 'no-data':
      return { kind: 'no-such-domain', detail: `${domain} has neither MX nor address records` }
    case 'found':
      return { key: `implicit:${domain}`, tiers: [[host(domain, options.endpoints)]] }
  }
}

/** What it means for mail that there is nowhere to bring it. RFC 7505 §4.1 and RFC 3463: 5.1.10 for a null MX, 5.1.2
 *  for a domain that does not exist. */
export function classifyNoRoute({ kind, detail }: RouteFailure & { kind: 'no-such-domain' | 'null-mx' }) {
  const enhancedStatus = kind === 'null-mx' ? '5.1.10' : '5.1.2'
  const report: AttemptReport = { reply: `${enhancedStatus} ${detail}`, enhancedStatus }
  const suppression = { reason: 'hard_bounce', forMs: null } as const
  const cause = kind === 'null-mx' ? 'recipient-domain-closed' : 'recipient-domain-unknown'
  const classified: Classified = { permanent: true, cause, suppression }
  return { report, classified }
}

function host(name: string, endpoints: Endpoints): MxHost {
  const own = endpoints(name)
  return own ? { name, ...own } : { name, port: 25 }
}

/** In one order whatever the resolver's, so that the same MX set always gives the same key. */
function namesByPreference(records: readonly MxRecord[]): string[][] {
  const best = new Map<string, number>()
  for (const { exchange, preference } of records) {
    const name = exchange.toLowerCase()
    best.set(name, Math.min(preference, best.get(name) ?? preference))
  }
  const ordered = [...best].toSorted(([a, p], [b, q]) => p - q || (a < b ? -1 : 1)).slice(0, MOST_HOSTS)
  const tiers = Map.groupBy(ordered, ([, preference]) => preference)
  return [...tiers.values()].map((tier) => tier.map(([name]) => name))
}

/** The hosts in the order to try them now: RFC 5321 §5.1 wants those of equal preference in random order, so that
 *  each gets its share. */
export function tryingOrder({ tiers }: Route, random: () => number): MxHost[] {
  return tiers.flatMap((tier) =>
    tier
      .map((mx) => ({ mx, tie: random() }))
      .toSorted((a, b) => a.tie - b.tie)
      .map(({ mx }) => mx),
  )
}

/** The addresses of a host, IPv6 first as the resolver gives them. Those that are not public are left out, unless the
 *  host is one of our own or its operator's smarthost: DNS of a stranger must not point us into our own network. */
export async function addressesOf(
  mx: MxHost,
  { resolver, privateDestinations = false }: Pick<RouteOptions, 'resolver' | 'privateDestinations'>,
): Promise<readonly string[]> {
  if (mx.addresses) return mx.addresses
  const anywhere = mx.smarthost ? mx.smarthost.trusted : privateDestinations
  const allowed = anywhere ? () => true : isPublicAddress
  if (isIP(mx.name) !== 0) return [mx.name].filter(allowed)
  const answer = await resolver.addresses(mx.name)
  if (answer.kind !== 'found') return []
  return answer.records.map(({ address }) => address).filter(allowed)
}
