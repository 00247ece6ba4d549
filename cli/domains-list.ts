import { listDnsRecords } from '#contract/dns-records.ts'
import { getSendingDnsStatus, listSendingSubdomains } from '#contract/sending-subdomains.ts'
import { listZones, type ZoneBody } from '#contract/zones.ts'
import type { ApiClient } from './api-client.ts'
import type { ListedDomain } from './domains-text.ts'
import { routingOf } from './find-domain.ts'
import { unlessForbidden } from './unless-forbidden.ts'

/** Every domain that is set up, over all zones that the token sees. One zone after the other, since each domain is looked
 *  at in DNS. A subdomain that only routes shows where its records are published here. */
export async function listDomains(client: ApiClient): Promise<ListedDomain[]> {
  const account = await client.namedAccount()
  const zones = await client.all(listZones, { query: { 'account.id': account } })
  const found: ListedDomain[] = []
  for (const zone of zones) found.push(...(await domainsOf(client, zone)))
  return found
}

async function domainsOf(client: ApiClient, zone: ZoneBody): Promise<ListedDomain[]> {
  const of = { zone: zone.name, zone_id: zone.id, account_id: zone.account.id }
  const params = { zone_id: zone.id }
  if (zone.status !== 'active') {
    const status = 'zone pending'
    return [{ name: zone.name, ...of, sending: status, routing: status, dkim_selector: null }]
  }
  const sending = await unlessForbidden(client.ask(listSendingSubdomains, { params }))
  const names = new Set([
    zone.name,
    ...(sending === 'not shown' ? [] : sending.map(({ name }) => name)),
    ...(await routedNames(client, zone)),
  ])
  return Promise.all(
    [...names].map(async (name): Promise<ListedDomain> => {
      const domain = sending === 'not shown' ? undefined : sending.find((each) => each.name === name)
      const ofDomain = { ...params, subdomain_id: domain?.tag ?? '' }
      const [status, routing] = await Promise.all([
        domain && client.ask(getSendingDnsStatus, { params: ofDomain }),
        unlessForbidden(routingOf(client, zone.id, name)),
      ])
      return {
        ...{ name, ...of },
        sending: sending === 'not shown' ? sending : (status?.status ?? 'unconfigured'),
        routing: routing === 'not shown' ? routing : (routing?.status ?? 'unconfigured'),
        dkim_selector: domain?.dkim_selector ?? null,
      }
    }),
  )
}

async function routedNames(client: ApiClient, { id }: ZoneBody): Promise<string[]> {
  const records = await unlessForbidden(
    client.all(listDnsRecords, { params: { zone_id: id }, query: { type: 'MX' } }),
  )
  if (records === 'not shown') return []
  return records.filter(({ meta }) => meta.email_routing).map(({ name }) => name)
}
