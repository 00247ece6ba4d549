import type { DomainStatusBody, ExpectedRecordBody } from '#contract/onboarding-records.ts'
import { getRoutingDns, getRoutingDnsStatus } from '#contract/routing-settings.ts'
import { getSendingDns, getSendingDnsStatus } from '#contract/sending-subdomains.ts'
import type { ApiClient } from './api-client.ts'
import type { FoundDomain, MailService } from './find-domain.ts'

export type Statuses = readonly (readonly [MailService, DomainStatusBody])[]

/** How each service of a domain stands in DNS now. */
export async function statusesOf(
  client: ApiClient,
  { name, zone, sending, routing }: FoundDomain,
): Promise<Statuses> {
  const params = { zone_id: zone.id }
  const found: [MailService, DomainStatusBody][] = []
  if (sending) {
    const of = { ...params, subdomain_id: sending.tag }
    found.push(['sending', await client.ask(getSendingDnsStatus, { params: of })])
  }
  if (routing)
    found.push(['routing', await client.ask(getRoutingDnsStatus, { params, query: { subdomain: name } })])
  return found
}

/** Who unlocked the routing records did so on purpose. */
export function isReady(statuses: Statuses): boolean {
  return statuses.every(([, { status }]) => status === 'ready' || status === 'unlocked')
}

/** The records that each service of a domain needs. */
export async function recordsOf(
  client: ApiClient,
  { name, zone, sending, routing }: FoundDomain,
): Promise<ExpectedRecordBody[]> {
  const params = { zone_id: zone.id }
  const ofSending = sending
    ? await client.ask(getSendingDns, { params: { ...params, subdomain_id: sending.tag } })
    : []
  const ofRouting = routing ? await client.ask(getRoutingDns, { params, query: { subdomain: name } }) : []
  return [...ofSending, ...(Array.isArray(ofRouting) ? ofRouting : ofRouting.record)]
}
