import { parseDomainName } from '#protocol/domain-name.ts'
import type { Zone } from './zones.ts'

/** A name of the zone as somebody wrote it, or what is wrong with it in a sentence; `@` and nothing are the zone's own.
 *  Whether it lies in the zone is for others to say. */
export function readZoneName(zone: Zone, text: string | undefined): string | { readonly detail: string } {
  if (text === undefined || text === '' || text === '@') return zone.name
  const name = text.toLowerCase().replace(/\.$/, '')
  // The zone's own name was read when it was made.
  return name === zone.name ? name : parseDomainName(name)
}
