import type { ExpectedRecordBody } from '#contract/onboarding-records.ts'
import type { ZoneBody } from '#contract/zones.ts'
import type { ZoneDetail } from './find-domain.ts'
import type { RecordToPublish } from './record-forms.ts'

/** Who publishes a zone's records: we all of them, we those below its own name, or its owner by hand. */
export type Road = 'hosted' | 'mail names' | 'by hand'

export function roadOf({ type, dns }: Pick<ZoneBody, 'type' | 'dns'>): Road {
  if (dns === 'manual') return 'by hand'
  return type === 'full' ? 'hosted' : 'mail names'
}

/** What of the records is left to the zone's owner: nothing, where the zone is ours as a whole; all, where it is theirs;
 *  else what stands at the zone's own name, and the names to delegate. */
export function recordsToPublish(
  zone: ZoneDetail,
  records: readonly ExpectedRecordBody[],
): RecordToPublish[] {
  const road = roadOf(zone)
  if (road === 'hosted') return []
  // Without content: of a key that is made with the domain.
  const known = records.flatMap(({ type, name, content, priority }) =>
    content === undefined ? [] : [{ type, name, content, priority }],
  )
  if (road === 'by hand') return known
  const above = (name: string) =>
    zone.delegated_names.find((delegated) => name === delegated || name.endsWith(`.${delegated}`))
  const delegated = new Set(known.flatMap(({ name }) => above(name) ?? []))
  return [
    ...known.filter(({ name }) => above(name) === undefined),
    ...zone.delegated_names.filter((name) => delegated.has(name)).flatMap((name) => delegation(name, zone)),
  ]
}

function delegation(name: string, { name_servers: servers }: ZoneDetail): RecordToPublish[] {
  return servers.map((content) => ({ type: 'NS', name, content }))
}
