import { isPublicAddress } from '#net/private-address.ts'
import type { MxRecord, Resolver } from '#net/resolver.ts'

/** Where mail for a domain goes: the hosts of its MX set in the order to try them. */
export interface Route {
  /** Names the destination: domains with the same MX set share connections and pace (promise 4). */
  readonly key: string
  readonly hosts: readonly MxHost[]
}

export interface MxHost {
  readonly name: string
  readonly port: number
  /** Already known addresses; otherwise they are resolved when the host is tried. */
  readonly addresses?: readonly string[]
}

export type RouteFailure =
  | { readonly kind: 'no-such-domain'; readonly detail: string }
  | { readonly kind: 'null-mx'; readonly detail: string }
  | { readonly kind: 'temporary'; readonly detail: string }

/** Names that this installation reaches itself: its own doors, the simulator, the sandbox. Only they may lie in
 *  private address space, and only they have a port other than 25. */
export type Endpoints = (host: string) => { readonly port: number; readonly addresses: readonly string[] } | undefined

export interface RouteOptions {
  readonly resolver: Resolver
  readonly endpoints: Endpoints
  /** Recipient domains that no DNS resolves, such as the simulator's. */
  readonly direct: (domain: string) => MxHost | undefined
  readonly random: () => number
}

/** RFC 5321 §5.1: MX by preference, shuffled among equals; without MX the domain's own address; a null MX
 *  (RFC 7505) and a name that does not exist are permanent, a failing resolver is not. */
export async function findRoute(domain: string, options: RouteOptions): Promise<Route | RouteFailure> {
  const direct = options.direct(domain)
  if (direct) return { key: `direct:${direct.name}`, hosts: [direct] }
  const answer = await options.resolver.mx(domain)
  switch (answer.kind) {
    case 'temporary-failure':
      return { kind: 'temporary', detail: `MX lookup of ${domain} failed: ${answer.detail}` }
    case 'no-such-name':
      return { kind: 'no-such-domain', detail: `${domain} does not exist in DNS` }
    case 'no-data':
      return implicitMx(domain, options)
    case 'found': {
      const records = answer.records
      if (records.length === 1 && records[0]?.exchange === '') {
        return { kind: 'null-mx', detail: `${domain} accepts no mail (null MX)` }
      }
      const names = shuffleEqual(records, options.random)
      return { key: names.toSorted().join(','), hosts: names.map((name) => host(name, options.endpoints)) }
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
      return { key: `implicit:${domain}`, hosts: [host(domain, options.endpoints)] }
  }
}

function host(name: string, endpoints: Endpoints): MxHost {
  const own = endpoints(name)
  return own ? { name, ...own } : { name, port: 25 }
}

function shuffleEqual(records: readonly MxRecord[], random: () => number): string[] {
  return records
    .map((record) => ({ record, tie: random() }))
    .toSorted((a, b) => a.record.preference - b.record.preference || a.tie - b.tie)
    .map(({ record }) => record.exchange.toLowerCase())
}

/** The addresses of a host, IPv6 first as the resolver gives them. Those that are not public are left out, unless the
 *  host is one of our own: DNS of a stranger must not point us into our own network. */
export async function addressesOf(mx: MxHost, resolver: Resolver): Promise<readonly string[]> {
  if (mx.addresses) return mx.addresses
  const answer = await resolver.addresses(mx.name)
  if (answer.kind !== 'found') return []
  return answer.records.map(({ address }) => address).filter(isPublicAddress)
}
