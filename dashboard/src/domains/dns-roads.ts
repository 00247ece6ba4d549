import type { ZoneBody } from '#contract/zones.ts'

export type DnsRoad = 'full' | 'names' | 'manual'

interface Road {
  readonly label: string
  readonly description: string
  readonly wish: Pick<ZoneBody, 'type' | 'dns'>
}

/** The ways in which a zone's records come to DNS. */
export const DNS_ROADS: Readonly<Record<DnsRoad, Road>> = {
  manual: {
    label: 'I copy the records myself',
    description:
      'The domain stays with its DNS provider. You copy the records there, and see here when they are found.',
    wish: { type: 'partial', dns: 'manual' },
  },
  names: {
    label: 'Host only the names that mail needs',
    description:
      'The domain stays with its DNS provider. You delegate a few names to this service once, and it keeps their records right.',
    wish: { type: 'partial', dns: 'hosted' },
  },
  full: {
    label: 'Host the whole domain here',
    description:
      'You set this service’s name servers at your registrar. It writes and keeps all mail records by itself.',
    wish: { type: 'full', dns: 'hosted' },
  },
}

export function roadOf({ type, dns }: Pick<ZoneBody, 'type' | 'dns'>): DnsRoad {
  if (type === 'full') return 'full'
  return dns === 'hosted' ? 'names' : 'manual'
}

export function isDnsRoad(value: unknown): value is DnsRoad {
  return typeof value === 'string' && Object.hasOwn(DNS_ROADS, value)
}

/** Whether what the service writes at a name comes to DNS by itself: of a zone that stays elsewhere only names below its
 *  own can be delegated. */
export function isPublishedHere(
  { name: zone, type, dns }: Pick<ZoneBody, 'name' | 'type' | 'dns'>,
  name: string,
): boolean {
  return dns === 'hosted' && (type === 'full' || name !== zone)
}
