import { type RouteWorld, routeOf } from '#inbound/route/route.ts'
import { type Address, domainOf, localPartOf } from '#model/address.ts'
import type { ServiceNames } from '#model/service.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { TagKey } from '#protocol/keyed-tag.ts'
import { decodeSrs } from '#protocol/srs.ts'
import type { RoutedDomain } from '#registry/domains/routed-domain.ts'
import type { Way } from './incoming.ts'

export interface WayWorld extends RouteWorld {
  readonly service: ServiceNames
  /** Every version that rewritten addresses may still have. */
  readonly srsKeys: readonly TagKey[]
  /** Who gets mail for postmaster@ and abuse@ of the service. */
  readonly operator?: Address
  readonly now: () => number
}

/** Whether a recipient's mail is taken, and what for. */
export type WayFound =
  | Way
  | {
      readonly kind: 'refused'
      readonly answer: SmtpAnswer
      /** Whose owner may want to know. */
      readonly domain?: RoutedDomain
    }
  /** Of a domain of ours that has no rule at all. */
  | { readonly kind: 'unused' }
  /** Not at a domain whose mail comes here. */
  | { readonly kind: 'not-ours' }

const NOBODY: SmtpAnswer = { code: 550, enhanced: '5.1.1', text: 'No such address here' }
const FORGED: SmtpAnswer = {
  code: 550,
  enhanced: '5.7.1',
  text: 'Relaying denied: this rewritten address was not made here',
}
const EXPIRED: SmtpAnswer = {
  code: 550,
  enhanced: '5.7.1',
  text: 'This rewritten address has expired: the message that it belongs to was forwarded too long ago',
}

/** What becomes of mail for an address, before there is any. In: the mailbox of RCPT, as it was written. A rewritten
 *  address comes first: it may be longer than what any rule is for. */
export async function findWay(path: string, world: WayWorld): Promise<WayFound> {
  const { service, operator } = world
  // RFC 5321 §4.5.1: without a domain as well.
  if (operator && /^postmaster$/i.test(path)) {
    return { kind: 'operator', operator, address: `${path}@${service.domain}` as Address }
  }
  const rewritten = rewrittenWay(path, world)
  if (rewritten) return rewritten
  const to = parseAddress(path)
  if (!isAddress(to)) return { kind: 'not-ours' }
  const domain = domainOf(to)
  if (operator && isService(domain, service) && /^(?:postmaster|abuse)$/i.test(localPartOf(to))) {
    return { kind: 'operator', operator, address: to }
  }
  const route = await routeOf(to, world)
  if (route.kind === 'rule') return route
  if (route.kind === 'not-ours') return route
  return route.unused ? { kind: 'unused' } : { kind: 'refused', answer: NOBODY, domain: route.domain }
}

function rewrittenWay(path: string, { service, srsKeys, now }: WayWorld): WayFound | undefined {
  const at = path.lastIndexOf('@')
  if (path.slice(at + 1).toLowerCase() !== service.email) return undefined
  const sender = decodeSrs(path.slice(0, at), srsKeys, now())
  if (sender === 'unknown') return undefined
  if (sender === 'expired') return { kind: 'refused', answer: EXPIRED }
  if (sender === 'forged') return { kind: 'refused', answer: FORGED }
  return { kind: 'return', sender }
}

function isService(domain: string, { domain: apex, email, routes }: ServiceNames): boolean {
  return domain === apex || domain === email || routes.includes(domain)
}
