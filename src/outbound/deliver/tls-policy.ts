import type { TlsWish } from '#model/delivery.ts'
import { checkDnsId } from '#net/check-dns-id.ts'
import { hostMatches } from '#protocol/mta-sts.ts'
import type { VerifyOptions } from '#smtp/client.ts'

/** TLS policy, the one place that decides what a connection to a recipient's host must be. In: the recipient's domain,
 *  the message's wish, the host. Out: a demand that the connection meets, or there is no delivery over it. */
export interface TlsPolicies {
  /** What is known of a recipient domain (lower or upper case, A-labels). Never rejects. */
  policyFor(domain: string): Promise<TlsPolicy>
}

export type TlsPolicy =
  | { readonly kind: 'opportunistic' }
  | {
      readonly kind: 'sts'
      readonly mode: 'enforce' | 'testing'
      readonly mx: readonly string[]
      readonly id: string
    }

/** What a connection to a host must be, for a message with a wish, under a policy. */
export type TlsDemand =
  /** STARTTLS where it is offered, unverified; in clear where that fails. */
  | { readonly kind: 'opportunistic' }
  /** Verified, or nothing is said over it. `needsExtension`: nor unless EHLO over TLS offers that. */
  | {
      readonly kind: 'verified'
      readonly because: 'sts-enforce' | 'requiretls'
      readonly verify: VerifyOptions
      readonly needsExtension?: 'REQUIRETLS'
    }
  /** Verified if possible; what is wrong with it is noted, and changes nothing else (RFC 8461 §5, mode testing).
   *  `failure`: known beforehand, however well the connection turns out. */
  | { readonly kind: 'tested'; readonly verify: VerifyOptions; readonly failure?: string }
  /** No connection to this host would do; another host, or another day, may. */
  | { readonly kind: 'impossible'; readonly detail: string }

export interface DemandOptions {
  /** Authorities instead of the system's. */
  readonly ca?: VerifyOptions['ca']
  /** The name of the host is known to be right without a policy: an operator configured it. */
  readonly nameKnown?: boolean
}

export function demandOf(
  policy: TlsPolicy,
  wish: TlsWish,
  host: string,
  { ca, nameKnown = false }: DemandOptions = {},
): TlsDemand {
  // RFC 8689 §4.2.2: TLS-Required: No sets aside what MTA-STS demands, and TLS is used where it can be.
  if (wish === 'optional') return { kind: 'opportunistic' }
  const named = policy.kind === 'sts' && policy.mx.some((pattern) => hostMatches(pattern, host))
  const verify = verifyOptions(host, ca)
  const unnamed = `the MTA-STS policy does not name ${host}`
  if (policy.kind === 'sts' && policy.mode === 'enforce' && !named)
    return { kind: 'impossible', detail: unnamed }
  if (wish === 'required') {
    // RFC 8689 §4.2.1: without DNSSEC, a policy has to vouch for the host that MX led to.
    if (!named && !nameKnown)
      return { kind: 'impossible', detail: `TLS is required, and no policy names ${host}` }
    return { kind: 'verified', because: 'requiretls', verify, needsExtension: 'REQUIRETLS' }
  }
  if (policy.kind === 'opportunistic') return policy
  if (policy.mode === 'enforce') return { kind: 'verified', because: 'sts-enforce', verify }
  return { kind: 'tested', verify, ...(!named && { failure: unnamed }) }
}

/** RFC 8461 §4.2: a chain to a known authority, and the host's name among the DNS names of the certificate. */
function verifyOptions(host: string, ca: VerifyOptions['ca']): VerifyOptions {
  const servername = host.replace(/\.$/, '')
  return { servername, checkServerIdentity: checkDnsId, ...(ca !== undefined && { ca }) }
}

/** Where nothing leaves the machine: it asks nobody. */
export const ALWAYS_OPPORTUNISTIC: TlsPolicies = {
  policyFor: () => Promise.resolve({ kind: 'opportunistic' }),
}
