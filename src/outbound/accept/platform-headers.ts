import { type Address, domainOf } from '#model/address.ts'
import type { PlatformHeaders } from '#model/draft.ts'
import type { Protocol } from './accept-world.ts'

export interface Acceptance {
  /** The message's id, 32 hex digits. */
  readonly id: string
  readonly at: number
  readonly from: Address
  readonly accountId: string
  readonly domainId: string
  readonly returnPathDomain: string
  /** The host that accepts, for Received. */
  readonly host: string
  readonly protocol: Protocol
  /** Names the message in complaints, unforgeably. */
  readonly feedbackTag: string
}

/** The headers that no sender sets (reference-headers.md). TLS-Required: No would ask peers to do without TLS, and
 *  TLS-Report-* belong to TLS reports (RFC 8460 §5.3): neither means anything on a message, so neither is there. */
export function platformHeaders(acceptance: Acceptance): PlatformHeaders {
  const { id, at, from, accountId, domainId, returnPathDomain, host, protocol, feedbackTag } = acceptance
  const date = new Date(at)
  const fromDomain = domainOf(from)
  return {
    // In the sender's domain, as the API's own example has it, though one page says otherwise.
    messageId: `<${id}@${fromDomain}>`,
    date,
    // RFC 5321 §4.4. No `from` clause: the submitter's address is nobody's business.
    received: `by ${host} with ${protocol} id ${id}; ${rfc5322Date(date)}`,
    // Campaign, customer, type, and the sender id that must not change; coarse enough to aggregate on.
    feedbackId: `${domainId}:${accountId}:sending:posthorn`,
    // RFC 9477 §3.1: an address in the From domain or below it, covered by the signature. A domain with routing only has
    // its return path in the service domain, and no such address.
    ...((returnPathDomain === fromDomain || returnPathDomain.endsWith(`.${fromDomain}`)) && {
      cfbl: { address: `fbl@${returnPathDomain}; report=arf`, feedbackId: feedbackTag },
    }),
  }
}

function rfc5322Date(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000')
}
