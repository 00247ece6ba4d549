import type { SoaRecord, ZoneRecord } from './zone-record.ts'

/** One zone, ready to answer from. */
export interface ZoneContents {
  readonly apex: string
  readonly soa: SoaRecord
  readonly records: ReadonlyMap<string, readonly ZoneRecord[]>
  /** Names without records that have names below them (RFC 8020: they exist). */
  readonly emptyNonTerminals: ReadonlySet<string>
  /** NS records by the names below the apex that are delegated to others. */
  readonly delegations: ReadonlyMap<string, readonly ZoneRecord[]>
  /** Whether any name in it begins with a star. */
  readonly wildcards: boolean
}

export interface ZoneDescription {
  readonly apex: string
  readonly nameServers: readonly string[]
  /** Who answers for the zone, as a DNS name: `hostmaster.example.com` (RFC 1035 §3.3.13 RNAME). */
  readonly responsible: string
  readonly serial: number
  /** All but SOA and NS of the apex, which come from the fields above. */
  readonly records: readonly ZoneRecord[]
}

const AUTHORITY_TTL_SECONDS = 3600
// RFC 2308 §5: how long an absence is believed. Onboarding adds names that people look up a moment earlier.
const NEGATIVE_TTL_SECONDS = 60

export function zoneContents(zone: ZoneDescription): ZoneContents {
  const { apex } = zone
  const [mname = apex] = zone.nameServers
  const soa: SoaRecord = {
    name: apex,
    ttl: NEGATIVE_TTL_SECONDS,
    type: 'SOA',
    mname,
    rname: zone.responsible,
    serial: zone.serial,
    refresh: 7200,
    retry: 3600,
    expire: 1_209_600,
    minimum: NEGATIVE_TTL_SECONDS,
  }
  const ns = zone.nameServers.map(
    (data): ZoneRecord => ({ name: apex, ttl: AUTHORITY_TTL_SECONDS, type: 'NS', data }),
  )
  const records = Map.groupBy([soa, ...ns, ...evenTtls(zone.records)], ({ name }) => name)
  const emptyNonTerminals = new Set<string>()
  for (const name of records.keys()) {
    // Up to the apex or to a name already known to exist, so that a zone costs no more than its octets.
    for (let above = parent(name); inside(above, apex) && !records.has(above); above = parent(above)) {
      if (emptyNonTerminals.has(above)) break
      emptyNonTerminals.add(above)
    }
  }
  const delegations = new Map<string, readonly ZoneRecord[]>()
  let wildcards = false
  for (const [name, here] of records) {
    wildcards ||= name.startsWith('*.')
    const nameServers = name === apex ? [] : here.filter(({ type }) => type === 'NS')
    if (nameServers.length > 0) delegations.set(name, nameServers)
  }
  return { apex, soa, records, emptyNonTerminals, delegations, wildcards }
}

/** RFC 2181 §5.2: the records of one name and type have one TTL, which is the shortest given. */
function evenTtls(records: readonly ZoneRecord[]): ZoneRecord[] {
  const key = ({ name, type }: ZoneRecord) => `${type} ${name}`
  const shortest = new Map<string, number>()
  for (const record of records)
    shortest.set(key(record), Math.min(record.ttl, shortest.get(key(record)) ?? record.ttl))
  return records.map((record) => ({ ...record, ttl: shortest.get(key(record)) ?? record.ttl }))
}

/** Whether `name` is `apex` or lies below it. */
export function inside(name: string, apex: string): boolean {
  return name === apex || name.endsWith(`.${apex}`)
}

export function parent(name: string): string {
  const dot = name.indexOf('.')
  return dot === -1 ? '' : name.slice(dot + 1)
}
