import { domainToASCII } from 'node:url'
import type { z } from 'zod'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import { getRoutingDnsStatus } from '#contract/routing-settings.ts'
import { listSendingSubdomains, type SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import { getZone, listZones, type ZoneBody, type zoneDetail } from '#contract/zones.ts'
import type { ApiClient } from './api-client.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { ServerRefused } from './server-refused.ts'
import { tellFailure } from './tell-failure.ts'

/** The two services of a domain. */
const MAIL_SERVICES = ['sending', 'routing'] as const
export type MailService = (typeof MAIL_SERVICES)[number]

/** As the command line says; with neither, a command chooses. */
export interface Services {
  readonly sending?: true
  readonly routing?: true
}

export function namedServices(given: Services): readonly MailService[] {
  return MAIL_SERVICES.filter((service) => given[service])
}

export type ZoneDetail = z.output<typeof zoneDetail>

/** A domain with the services that it is set up for. */
export interface FoundDomain {
  readonly name: string
  readonly zone: ZoneDetail
  readonly sending: SendingSubdomainBody | undefined
  /** As a look at DNS has it. */
  readonly routing: DomainStatusBody | undefined
}

/** Lower-case A-labels, where the text is a name at all; else the text, about which the server has words. */
export function nameOf(text: string): string {
  const trimmed = text.trim().replace(/\.$/, '')
  return domainToASCII(trimmed) || trimmed
}

/** The zone of this name. */
export async function findZone(client: ApiClient, text: string): Promise<ZoneDetail> {
  const name = nameOf(text)
  const zone = await zoneNamed(client, name)
  if (zone) return client.ask(getZone, { params: { zone_id: zone.id } })
  throw new CommandFailed(`there is no zone ${name} that this token sees`, EXIT.nothing)
}

/** The zone that a new domain belongs to: the nearest above it that is proven, or that waits to be. */
export async function zoneToHold(client: ApiClient, name: string): Promise<ZoneDetail> {
  const zones = await zonesAbove(client, name)
  const zone = zones.find(({ status }) => status === 'active') ?? zones[0]
  if (zone) return client.ask(getZone, { params: { zone_id: zone.id } })
  throw noZone(name)
}

/** The domain with those of the services that it is set up for; with one of them named, that one. A service that the
 *  token may not read is passed over, unless it was named or is the only one. */
export async function findDomain(client: ApiClient, text: string, given: Services): Promise<FoundDomain> {
  const name = nameOf(text)
  const named = namedServices(given)
  const wanted = named.length > 0 ? named : MAIL_SERVICES
  const zones = await zonesAbove(client, name)
  if (zones.length === 0) throw noZone(name)
  let refused: ServerRefused | undefined
  for (const { id } of zones) {
    const look = async <Body>(service: MailService, ask: () => Promise<Body | undefined>) => {
      try {
        return wanted.includes(service) ? await ask() : undefined
      } catch (error) {
        if (!(error instanceof ServerRefused) || error.status !== 403 || named.length > 0) throw error
        refused = error
        return undefined
      }
    }
    const [sending, routing] = await Promise.all([
      look('sending', () => sendingOf(client, id, name)),
      look('routing', () => routingOf(client, id, name)),
    ])
    if (sending || routing) {
      if (refused) tellFailure(refused.message)
      const zone = await client.ask(getZone, { params: { zone_id: id } })
      return { name, zone, sending, routing }
    }
  }
  if (refused) throw refused
  const what = wanted.join(' or ')
  throw new CommandFailed(
    `${name} is not set up for ${what}\n  "posthorn domains onboard ${name}" does it.`,
    EXIT.nothing,
  )
}

async function sendingOf(
  client: ApiClient,
  zoneId: string,
  name: string,
): Promise<SendingSubdomainBody | undefined> {
  const all = await client.ask(listSendingSubdomains, { params: { zone_id: zoneId } })
  return all.find((domain) => domain.name === name)
}

/** How routing stands in DNS now; undefined where the domain does not use it. */
export async function routingOf(
  client: ApiClient,
  zoneId: string,
  name: string,
): Promise<DomainStatusBody | undefined> {
  try {
    const status = await client.ask(getRoutingDnsStatus, {
      params: { zone_id: zoneId },
      query: { subdomain: name },
    })
    return status.status === 'unconfigured' ? undefined : status
  } catch (error) {
    if (error instanceof ServerRefused && error.status === 404) return undefined
    throw error
  }
}

/** Nearest first. */
async function zonesAbove(client: ApiClient, name: string): Promise<ZoneBody[]> {
  const labels = name.split('.')
  const names = labels.slice(0, -1).map((_, above) => labels.slice(above).join('.'))
  const found = await Promise.all(names.map((each) => zoneNamed(client, each)))
  return found.filter((zone) => zone !== undefined)
}

async function zoneNamed(client: ApiClient, name: string): Promise<ZoneBody | undefined> {
  const account = await client.namedAccount()
  const listed = await client.all(listZones, { query: { name, 'account.id': account } })
  // The filter has operators, and nobody means to delete the first zone that `contains:a`.
  const zones = listed.filter((zone) => zone.name === name)
  const [first, second] = zones
  if (!first || !second) return first
  const lines = zones.map((zone) => `\n  ${zone.account.id}  ${zone.account.name} (${zone.status})`)
  throw new CommandFailed(
    `${name} is a zone of several accounts; say by --account which:${lines.join('')}`,
    EXIT.usage,
  )
}

function noZone(name: string): CommandFailed {
  return new CommandFailed(
    `no zone that this token sees has ${name} in it\n  "posthorn zones create" makes one.`,
    EXIT.nothing,
  )
}
