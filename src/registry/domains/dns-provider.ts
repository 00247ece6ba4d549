import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { AUTOMATIC_TTL } from './zone-record.ts'
import type { Zone, ZoneDns } from './zones.ts'

/** A road from a zone to DNS. In: the records that a zone should have. Out: the writes that publish them, for the
 *  caller's own commit. Promise: what is put through one road is read and removed through the same. */
export interface DnsProvider {
  /** Whether a record of this name is in DNS once it is put; where not, its owner has to publish it. */
  publishes(zone: Zone, name: string): boolean
  /** In the order of name, type, priority and id. */
  records(zone: Zone, name?: string, type?: string): Promise<ZoneRecordRow[]>
  put(zone: Zone, records: readonly RecordToPut[], as: PutAs): Write[]
  /** Each id is one record of the zone that is there, or the commit conflicts. */
  remove(zone: Zone, ids: readonly string[], at: number): Write[]
  /** Locks or unlocks records for their owner's hands. Each id as in `remove`. */
  lock(zone: Zone, ids: readonly string[], locked: boolean, at: number): Write[]
}

/** Whose a record is: a service's that put it there, or its owner's. */
export type RecordPurpose = 'sending' | 'routing' | 'owner'

export interface RecordToPut {
  /** The whole name, in lower case and A-labels, without the final dot. */
  readonly name: string
  readonly type: string
  readonly content: string
  readonly priority: number | null
  /** Seconds; automatic unless given. */
  readonly ttl?: number
  /** Unless given, as `PutAs` says. */
  readonly locked?: boolean
  readonly comment?: string | null
  readonly tags?: readonly string[]
}

export interface PutAs {
  readonly locked?: boolean
  readonly purpose: RecordPurpose
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface ZoneRecordRow {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly priority: number | null
  readonly ttl: number
  readonly locked: boolean
  readonly purpose: string
  readonly comment: string | null
  readonly tags: readonly string[]
  readonly createdAt: number
  readonly modifiedAt: number
}

interface RecordColumns {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly priority: number | null
  readonly ttl: number
  readonly locked: number
  readonly purpose: string
  readonly comment: string | null
  readonly tags: string | null
  readonly created_at: number
  readonly modified_at: number | null
}

const recordsOfZone = statement<RecordColumns>(
  'dns-provider.records',
  `select id, name, type, content, priority, ttl, locked, purpose, comment, tags, created_at, modified_at
   from dns_record where zone_id = $1 and account_id = $2
   order by name, type, coalesce(priority, 0), id`,
)

const insertRecord = statement(
  'dns-provider.insert',
  `insert into dns_record
     (id, zone_id, account_id, name, type, content, priority, ttl, locked, purpose, comment, tags, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
)

const deleteRecord = statement(
  'dns-provider.delete',
  'delete from dns_record where id = $1 and zone_id = $2 and account_id = $3',
)

const lockRecord = statement(
  'dns-provider.lock',
  `update dns_record set locked = $4, modified_at = cast($5 as bigint)
   where id = $1 and zone_id = $2 and account_id = $3`,
)

// The row also keeps two changes of one zone's records from overlapping: what follows in the set sees what came before.
const touchZone = statement(
  'dns-provider.touch',
  `update zone set records_at = case
     when coalesce(records_at, created_at) + 1000 > cast($3 as bigint) then coalesce(records_at, created_at) + 1000
     else cast($3 as bigint) end
   where id = $1 and account_id = $2`,
)

/** To stand first in a set that changes records: the zone's serial moves on, and other such sets wait for this one. */
export function recordsChange(zone: Zone, at: number): Write {
  return { statement: touchZone, params: [zone.id, zone.accountId, at], rows: 1 }
}

/** Our own name servers answer from our tables. */
function hosted(store: Store): DnsProvider {
  const changed = (zone: Zone, at: number, writes: readonly Write[]): Write[] =>
    writes.length === 0 ? [] : [recordsChange(zone, at), ...writes]
  return {
    // Of a zone that stays elsewhere only the names below its own can be delegated.
    publishes: (zone, name) => zone.type === 'full' || name !== zone.name,
    async records(zone, name, type) {
      const rows = await store.all(recordsOfZone, [zone.id, zone.accountId])
      return rows
        .filter((row) => (name ?? row.name) === row.name && (type ?? row.type) === row.type)
        .map(recordOf)
    },
    put: (zone, records, as) =>
      changed(
        zone,
        as.at,
        records.map((record) => insertWrite(zone, newId(), record, as)),
      ),
    remove: (zone, ids, at) =>
      changed(
        zone,
        at,
        ids.map((id) => ({ statement: deleteRecord, params: [id, zone.id, zone.accountId], rows: 1 })),
      ),
    lock: (zone, ids, locked, at) =>
      changed(
        zone,
        at,
        ids.map((id) => ({
          statement: lockRecord,
          params: [id, zone.id, zone.accountId, locked ? 1 : 0, at],
          rows: 1,
        })),
      ),
  }
}

/** Nothing is written: its owner is told what to publish, and DNS itself says what was. */
const MANUAL: DnsProvider = {
  publishes: () => false,
  records: async () => [],
  put: () => [],
  remove: () => [],
  lock: () => [],
}

/** The road of each zone. */
export function openDnsProviders(store: Store): (zone: Zone) => DnsProvider {
  const providers = { hosted: hosted(store), manual: MANUAL } as const satisfies Record<ZoneDns, DnsProvider>
  return (zone) => providers[zone.dns]
}

/** Without `recordsChange`, which has to stand before it. */
export function insertWrite(zone: Zone, id: string, record: RecordToPut, as: PutAs): Write {
  return {
    statement: insertRecord,
    params: [
      id,
      zone.id,
      zone.accountId,
      record.name,
      record.type,
      record.content,
      record.priority,
      record.ttl ?? AUTOMATIC_TTL,
      (record.locked ?? as.locked) ? 1 : 0,
      as.purpose,
      record.comment ?? null,
      tagsText(record.tags ?? []),
      as.at,
    ],
    rows: 1,
  }
}

export function tagsText(tags: readonly string[]): string | null {
  return tags.length === 0 ? null : JSON.stringify(tags)
}

function recordOf(row: RecordColumns): ZoneRecordRow {
  const { id, name, type, content, priority, ttl, purpose, comment } = row
  return {
    ...{ id, name, type, content, priority, ttl, purpose, comment },
    locked: row.locked === 1,
    tags: row.tags === null ? [] : readTags(row.tags),
    createdAt: row.created_at,
    modifiedAt: row.modified_at ?? row.created_at,
  }
}

function readTags(text: string): string[] {
  const tags: unknown = JSON.parse(text)
  return Array.isArray(tags) ? tags.map(String) : []
}
