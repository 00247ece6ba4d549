import type { ServiceNames } from '#model/service.ts'
import { type Store, statement } from '#store/store.ts'
import type { FindZone } from './authority.ts'
import { briefCache } from './brief-cache.ts'
import { delegatedNames } from './delegated-names.ts'
import { findServiceKey } from './dkim-key.ts'
import {
  addressRecord,
  responsible,
  type ServiceAddresses,
  serviceZone,
  zoneNameServers,
} from './service-zone.ts'
import { wireRecord } from './wire-record.ts'
import { inside, parent, type ZoneContents, zoneContents } from './zone-contents.ts'
import { AUTOMATIC_TTL_SECONDS, type StoredRecord, type ZoneRecord } from './zone-record.ts'

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
  readonly type: string
  readonly records_at: number
}

/** What of a zone we answer for, by the names at which it begins: the zone's own, or of a partial zone those that are
 *  delegated to us. */
type Served = ReadonlyMap<string, ZoneContents>

const zoneOfName = statement<ZoneRow>(
  'hosted-zones.zone-of-name',
  `select id, account_id, name, type, coalesce(records_at, created_at) as records_at from zone
   where status = 'active' and dns = 'hosted' and name in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   order by length(name) desc limit 1`,
)

const recordsOfZone = statement<StoredRecord & { readonly created_at: number }>(
  'hosted-zones.records',
  `select name, type, content, priority, ttl, created_at from dns_record
   where zone_id = $1 and account_id = $2 order by name, type, coalesce(priority, 0), id`,
)

// What its owner says of a name counts.
const workerHosts = statement<{ readonly hostname: string; readonly created_at: number }>(
  'hosted-zones.worker-hosts',
  `select hostname, created_at from worker_domain domain where zone_id = $1 and account_id = $2 and not exists
     (select 1 from dns_record record where record.zone_id = $1 and record.name = domain.hostname
      and record.type in ('A', 'AAAA', 'CNAME', 'NS'))
   order by hostname`,
)

export function openHostedZones({ store, service, addresses, clock }: HostedZonesWorld): HostedZones {
  const zones = briefCache<Served>({ max: ZONES_KEPT, clock })

  async function readService(): Promise<Served> {
    const key = await findServiceKey(store, service.email)
    return new Map([[service.domain, serviceZone(service, addresses, key?.public_key)]])
  }

  async function read(zone: ZoneRow): Promise<Served> {
    const stored = await store.all(recordsOfZone, [zone.id, zone.account_id])
    const workers = addresses.workers ? await store.all(workerHosts, [zone.id, zone.account_id]) : []
    const ofWorkers = workers.flatMap(({ hostname: name }) =>
      addresses.hosts.map((host) => ({ name, ttl: AUTOMATIC_TTL_SECONDS, ...addressRecord(host) })),
    )
    const records = [...stored.map(wireRecord).filter((record) => record !== undefined), ...ofWorkers]
    const begin = zone.type === 'partial' ? delegatedNames(zone.name, records) : [zone.name]
    return new Map(begin.map((apex) => [apex, served(apex, zone, [...stored, ...workers], records)]))
  }

  function served(
    apex: string,
    zone: ZoneRow,
    stored: readonly { readonly created_at: number }[],
    records: readonly ZoneRecord[],
  ): ZoneContents {
    return zoneContents({
      apex,
      nameServers: zoneNameServers(service, zone.id),
      responsible: responsible(service),
      serial: serialOf(zone, stored),
      records: records.filter(({ name }) => inside(name, apex)),
    })
  }

  return {
    async find(name) {
      if (inside(name, service.domain)) return nearest(await zones.get(SERVICE, () => readService()), name)
      const zone = await store.get(zoneOfName, suffixes(name))
      return zone && nearest(await zones.get(zone.id, () => read(zone)), name)
    },
    forget: (zoneId) => zones.forget(zoneId),
    forgetService: () => zones.forget(SERVICE),
  }
}

function nearest(served: Served, name: string): ZoneContents | undefined {
  for (let above = name; above !== ''; above = parent(above)) {
    const contents = served.get(above)
    if (contents) return contents
  }
  return undefined
}

/** When its records last changed, in seconds, which fits the serial's 32 bits (RFC 1035 §3.3.13). */
function serialOf(zone: ZoneRow, stored: readonly { readonly created_at: number }[]): number {
  return stored.reduce(
    (newest, { created_at }) => Math.max(newest, Math.floor(created_at / 1000)),
    Math.floor(zone.records_at / 1000),
  )
}

/** The name and the names above it, as many as a zone may have labels, filled up with the root's empty name. */
export function suffixes(name: string): string[] {
  const labels = name.split('.').slice(-ZONE_LABELS)
  const names = labels.map((_, i) => labels.slice(i).join('.'))
  return [...names, ...Array<string>(ZONE_LABELS - names.length).fill('')]
}
