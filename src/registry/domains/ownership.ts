import type { ServiceNames } from '#model/service.ts'
import type { DelegationLookup } from '#net/delegation.ts'
import type { Lookup, Resolver } from '#net/resolver.ts'
import { zoneNameServers } from './service-zone.ts'
import type { Zone } from './zones.ts'

/** What public DNS is asked for proof; never our own zones (promise 6). */
export type OwnershipLookups = Pick<Resolver, 'txt'> & DelegationLookup

/** Whether DNS says that the zone belongs to who made it here. `undecided`: DNS could not be asked. */
export type Proof =
  | { readonly kind: 'proven'; readonly by: 'txt' | 'name-servers' }
  | { readonly kind: 'unproven' | 'undecided'; readonly detail: string }

/** The record that proves a zone, its id in it: nobody else's zone has the same. */
export function challenge(zone: Pick<Zone, 'id' | 'name'>): {
  readonly name: string
  readonly content: string
} {
  return { name: `_posthorn-challenge.${zone.name}`, content: `posthorn-verification=${zone.id}` }
}

/** Either proof will do: only who controls the domain's DNS can publish the one or the other. */
export async function findProof(
  zone: Pick<Zone, 'id' | 'name'>,
  { lookups, service }: { readonly lookups: OwnershipLookups; readonly service: ServiceNames },
): Promise<Proof> {
  const { name, content } = challenge(zone)
  const servers = zoneNameServers(service, zone.id)
  const [text, delegation] = await Promise.all([lookups.txt(name), lookups.delegation(zone.name)])
  const texts = records(text)
  if (texts.some((one) => one.trim() === content)) return { kind: 'proven', by: 'txt' }
  const named = records(delegation)
  if (named.some((host) => servers.includes(host))) return { kind: 'proven', by: 'name-servers' }
  const found = [
    texts.length > 0 ? `the TXT record of ${name} has another content` : `there is no TXT record of ${name}`,
    named.length > 0
      ? `${zone.name} is delegated to ${listed(named)}`
      : `${zone.name} is delegated to no name servers`,
  ].join(', and ')
  const failed = [text, delegation].find(({ kind }) => kind === 'temporary-failure')
  return failed
    ? { kind: 'undecided', detail: `DNS could not be asked about ${zone.name}; it is asked again.` }
    : {
        kind: 'unproven',
        detail: `Not proven yet: ${found}. Publish the TXT record with "${content}", or delegate the zone to ${servers.join(' and ')}.`,
      }
}

function records(lookup: Lookup<string>): readonly string[] {
  return lookup.kind === 'found' ? lookup.records : []
}

/** Names in DNS are strangers': as many as help. */
function listed(hosts: readonly string[]): string {
  const shown = hosts.slice(0, 4).map((host) => host.slice(0, 255))
  return hosts.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}
