/** Every host name that derives from the operator's service domain (DESIGN, Names). */
export interface ServiceNames {
  readonly domain: string
  /** MX hosts of routed domains and of `cf-bounce` subdomains. */
  readonly routes: readonly [string, string, string]
  readonly spf: string
  readonly submission: string
  /** The forwarding domain: return paths of what is not sent from an onboarded sending domain. */
  readonly email: string
  readonly mtaSts: string
  readonly mtaStsPolicy: string
  readonly simulator: string
  /** Publishes an SPF record for loopback, in development only. */
  readonly pass: string
}

export function serviceNames(domain: string): ServiceNames {
  return {
    domain,
    routes: [`route1.mx.${domain}`, `route2.mx.${domain}`, `route3.mx.${domain}`],
    spf: `_spf.mx.${domain}`,
    submission: `smtp.mx.${domain}`,
    email: `email.${domain}`,
    mtaSts: `_mta-sts.mx.${domain}`,
    mtaStsPolicy: `mta-sts.mx.${domain}`,
    simulator: `simulator.${domain}`,
    pass: `pass.${domain}`,
  }
}

export const SENDING_SELECTOR = 'cf-bounce'
export const ROUTING_SELECTOR = 'cf2024-1'

/** The subdomain that carries return paths, MX and SPF of a sending domain (config-domains.md). */
export function returnPathDomain(domain: string): string {
  return `cf-bounce.${domain}`
}

/** The sending domain whose return paths are at this one; undefined for any other name. */
export function sendingDomainOf(name: string): string | undefined {
  return name.startsWith(returnPathDomain('')) ? name.slice(returnPathDomain('').length) : undefined
}
