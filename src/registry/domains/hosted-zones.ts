import type { ServiceNames } from '#model/service.ts'
import { type Store, statement } from '#store/store.ts'
import type { FindZone } from './authority.ts'
import { briefCache } from './brief-cache.ts'
import { findServiceKey } from './dkim-key.ts'
import { nameServers, responsible, type ServiceAddresses, serviceZone } from './service-zone.ts'
import { inside, type ZoneContents, zoneContents } from './zone-contents.ts'
import { type StoredRecord, wireRecord } from './zone-record.ts'

/** The zones DNS is answered for: the service's own, and hosted ones that are active (promise 6). */
export interface HostedZones {
  readonly find: FindZone
  /** To be called after a change, so that this process answers from it at once. */
  forget(zoneId: string): void
  forgetService(): void
}

export interface HostedZonesWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly addresses: ServiceAddresses
  readonly clock: () => number
}

/** Labels of a zone's name at most, so that one query finds the zone of any name. */
export const ZONE_LABELS = 10

const ZONES_KEPT = 1000
// No id of a zone.
const SERVICE = 'service'

interface ZoneRow {
  readonly id: string
  readonly account_id: string
  readonly name: string
}

const zoneOfName = statement<ZoneRow>(
  'hosted-zones.zone-of-name',
  `select id, account_id, name from zone
   where status = 'active' and name in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   order by length(name) desc limit 1`,
)

const recordsOfZone = statement<StoredRecord & { readonly created_at: number }>(
  'hosted-zones.records',
  `select name, type, content, priority, ttl, created_at from dns_record
   where zone_id = $1 and account_id = $2 order by name, type, coalesce(priority, 0), id`,
)

export function openHostedZones({ store, service, addresses, clock }: HostedZonesWorld): HostedZones {
  const zones = briefCache<ZoneContents>({ max: ZONES_KEPT, clock })

  async function readService(): Promise<ZoneContents> {
    const key = await findServiceKey(store, service.email)
    return serviceZone(service, addresses, key?.public_key)
  }

  async function read(zone: ZoneRow): Promise<ZoneContents> {
    const stored = await store.all(recordsOfZone, [zone.id, zone.account_id])
    return zoneContents({
      apex: zone.name,
      nameServers: nameServers(service),
      responsible: responsible(service),
      serial: serialOf(stored),
      records: stored.map(wireRecord).filter((record) => record !== undefined),
    })
  }

  return {
    async find(name) {
      if (inside(name, service.domain)) return zones.get(SERVICE, () => readService())
      const zone = await store.get(zoneOfName, suffixes(name))
      return zone && zones.get(zone.id, () => read(zone))
    },
    forget: (zoneId) => zones.forget(zoneId),
    forgetService: () => zones.forget(SERVICE),
  }
}

/** The newest record's time in seconds, which fits the serial's 32 bits (RFC 1035 §3.3.13). */
function serialOf(stored: readonly { readonly created_at: number }[]): number {
  return stored.reduce((newest, { created_at }) => Math.max(newest, Math.floor(created_at / 1000)), 1)
}

/** The name and the names above it, as many as a zone may have labels, filled up with the root's empty name. */
export function suffixes(name: string): string[] {
  const labels = name.split('.').slice(-ZONE_LABELS)
  const names = labels.map((_, i) => labels.slice(i).join('.'))
  return [...names, ...Array<string>(ZONE_LABELS - names.length).fill('')]
}
