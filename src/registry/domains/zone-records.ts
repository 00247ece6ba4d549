import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import {
  type DnsProvider,
  insertWrite,
  type RecordToPut,
  tagsText,
  type ZoneRecordRow,
} from './dns-provider.ts'
import { isSpf } from './onboarding-records.ts'
import { isStsText } from './plan-sts.ts'
import { type GivenRecord, type RecordFault, readRecord } from './read-record.ts'
import { inside } from './zone-contents.ts'
import { findZone, type Zone } from './zones.ts'

/** The records that a zone's owner keeps in it, beside those that onboarding put there. In: what the owner writes.
 *  Out: rows. Promise: what the service has locked stays as it is, and no two records contradict each other. */
export interface ZoneRecords {
  /** Undefined for no zone of this account. */
  list(accountId: string, zoneId: string): Promise<readonly ZoneRecordRow[] | undefined>
  create(at: RecordPlace, given: GivenRecord, note?: NoteRecord): Promise<RecordOutcome>
  /** The record becomes what is given. */
  replace(at: OneRecord, given: GivenRecord, note?: NoteRecord): Promise<RecordOutcome>
  /** What is not given stays. */
  edit(at: OneRecord, given: GivenFields, note?: NoteRecord): Promise<RecordOutcome>
  remove(at: OneRecord, note?: NoteRecord): Promise<RecordOutcome>
}

export interface RecordPlace {
  readonly accountId: string
  readonly zoneId: string
}

export type GivenFields = { readonly [K in keyof GivenRecord]?: GivenRecord[K] | undefined }

export interface OneRecord extends RecordPlace {
  readonly recordId: string
}

export type RecordOutcome =
  /** As it is now; of a removed one, as it was. */
  | { readonly kind: 'done'; readonly record: ZoneRecordRow }
  /** No such zone of this account, or no such record of this zone. */
  | { readonly kind: 'unknown' }
  | ({ readonly kind: 'invalid' } & RecordFault)
  | {
      readonly kind: 'locked' | 'identical' | 'conflicting' | 'too-many' | 'not-hosted'
      readonly detail: string
    }

/** What is to be in the commit of a change besides: its line in the audit log. */
export type NoteRecord = (change: {
  readonly zone: Zone
  readonly before?: ZoneRecordRow
  readonly after?: ZoneRecordRow
  readonly at: number
}) => readonly Write[]

export const RECORDS_PER_ZONE = 1000
/** At one name and of one type: together they fit into one answer over TCP. */
export const RECORDS_PER_SET = 20

// Each lost race means that somebody else changed the zone.
const RACES = 10

// A compare-and-set: what was looked at before is still so, or the set is undone.
const moveRecordsOn = statement(
  'zone-records.move-on',
  `update zone set records_at = case
     when cast($3 as bigint) + 1000 > cast($4 as bigint) then cast($3 as bigint) + 1000 else cast($4 as bigint) end
   where id = $1 and account_id = $2 and coalesce(records_at, created_at) = cast($3 as bigint)`,
)

// An edited record is its owner's, whoever made it first.
const updateRecord = statement(
  'zone-records.update',
  `update dns_record set name = $4, type = $5, content = $6, priority = $7, ttl = $8, comment = $9, tags = $10,
     purpose = 'owner', modified_at = cast($11 as bigint)
   where id = $1 and zone_id = $2 and account_id = $3 and locked = 0`,
)

const deleteRecord = statement(
  'zone-records.delete',
  'delete from dns_record where id = $1 and zone_id = $2 and account_id = $3 and locked = 0',
)

interface Before {
  readonly zone: Zone
  readonly records: readonly ZoneRecordRow[]
}

interface Planned {
  readonly writes: readonly Write[]
  readonly before?: ZoneRecordRow
  readonly after?: ZoneRecordRow
}

export function openZoneRecords(world: {
  readonly store: Store
  readonly clock: () => number
  readonly provider: (zone: Zone) => DnsProvider
  readonly changed: (zoneId: string) => void
}): ZoneRecords {
  const { store, clock, provider, changed } = world

  async function look({ accountId, zoneId }: RecordPlace): Promise<Before | undefined> {
    // The zone first: a change between the two reads is then noticed at the commit.
    const zone = await findZone(store, accountId, zoneId)
    return zone && { zone, records: await provider(zone).records(zone) }
  }

  /** One after the other for each zone, so that only other processes can be in the way. */
  const last = new Map<string, Promise<unknown>>()
  async function inTurn<T>(zoneId: string, task: () => Promise<T>): Promise<T> {
    const before = last.get(zoneId)
    const turn = (async () => {
      // Whoever made it has its outcome.
      await before?.catch(() => {})
      return task()
    })()
    last.set(zoneId, turn)
    try {
      return await turn
    } finally {
      if (last.get(zoneId) === turn) last.delete(zoneId)
    }
  }

  async function changeOnce(
    place: RecordPlace,
    note: NoteRecord,
    plan: (before: Before, at: number) => Planned | RecordOutcome,
  ): Promise<RecordOutcome> {
    for (let race = 0; race < RACES; race++) {
      const found = await look(place)
      if (!found) return { kind: 'unknown' }
      const { zone } = found
      const at = clock()
      const planned = plan(found, at)
      if ('kind' in planned) return planned
      const { writes, before, after } = planned
      const record = after ?? before
      if (!record) throw new Error('a change is of a record')
      const move: Write = {
        statement: moveRecordsOn,
        params: [zone.id, zone.accountId, zone.recordsAt, at],
        rows: 1,
      }
      const noted = note({ zone, ...(before && { before }), ...(after && { after }), at })
      const committed = await store.commit([move, ...writes, ...noted])
      if (committed.ok) {
        changed(zone.id)
        return { kind: 'done', record }
      }
    }
    throw new Error(`a change of zone ${place.zoneId} lost ${RACES} races in a row`)
  }

  const change: typeof changeOnce = (place, note, plan) =>
    inTurn(place.zoneId, () => changeOnce(place, note, plan))

  function update(
    { recordId, ...place }: OneRecord,
    note: NoteRecord,
    given: (before: ZoneRecordRow) => GivenRecord,
  ): Promise<RecordOutcome> {
    return change(place, note, ({ zone, records }, at) => {
      const before = records.find(({ id }) => id === recordId)
      if (!before) return { kind: 'unknown' }
      if (before.locked) return locked(before)
      const record = readRecord(zone.name, given(before))
      if ('field' in record) return { kind: 'invalid', ...record }
      const others = records.filter(({ id }) => id !== recordId)
      const clash = clashes(record, others)
      if (clash) return clash
      const after = rowOf(recordId, record, { createdAt: before.createdAt, modifiedAt: at })
      const { name, type, content, priority, ttl, comment, tags } = after
      const params = [
        ...[recordId, zone.id, zone.accountId, name, type, content, priority, ttl, comment],
        ...[tagsText(tags), at],
      ]
      return { writes: [{ statement: updateRecord, params, rows: 1 }], before, after }
    })
  }

  return {
    async list(accountId, zoneId) {
      return (await look({ accountId, zoneId }))?.records
    },

    create: (place, given, note = () => []) =>
      change(place, note, ({ zone, records }, at) => {
        const refusal = notHosted(zone)
        if (refusal) return refusal
        const record = readRecord(zone.name, given)
        if ('field' in record) return { kind: 'invalid', ...record }
        const clash = clashes(record, records)
        if (clash) return clash
        const after = rowOf(newId(), record, { createdAt: at, modifiedAt: at })
        return { writes: [insertWrite(zone, after.id, record, { purpose: 'owner', at })], after }
      }),

    replace: (place, given, note = () => []) => update(place, note, () => given),
    edit: (place, given, note = () => []) => update(place, note, (before) => merged(before, given)),

    remove: ({ recordId, ...place }, note = () => []) =>
      change(place, note, ({ zone, records }) => {
        const before = records.find(({ id }) => id === recordId)
        if (!before) return { kind: 'unknown' }
        if (before.locked) return locked(before)
        const params = [recordId, zone.id, zone.accountId]
        return { writes: [{ statement: deleteRecord, params, rows: 1 }], before }
      }),
  }
}

function rowOf(
  id: string,
  record: RecordToPut,
  times: { readonly createdAt: number; readonly modifiedAt: number },
): ZoneRecordRow {
  const { name, type, content, priority, ttl = 1, comment = null, tags = [] } = record
  return { id, name, type, content, priority, ttl, comment, tags, locked: false, purpose: 'owner', ...times }
}

/** What is not given stays; a content that is given takes the place of the parts of the old one. */
function merged(before: ZoneRecordRow, given: GivenFields): GivenRecord {
  const { name, type, content, priority, ttl, comment, tags } = before
  const kept = { name, type, priority, ttl, comment, tags }
  const parts = given.content === undefined && given.data === undefined ? { content } : {}
  const told = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...kept, ...parts, ...Object.fromEntries(told) }
}

function notHosted(zone: Zone): RecordOutcome | undefined {
  if (zone.dns === 'hosted') return undefined
  return {
    kind: 'not-hosted',
    detail: `The DNS of ${zone.name} is not hosted here: add the record where it is.`,
  }
}

function locked({ type, name, purpose }: ZoneRecordRow): RecordOutcome {
  if (/^_?mta-sts\./.test(name)) {
    const detail = `The ${type} record of ${name} announces the MTA-STS policy of the domain: switch that off first.`
    return { kind: 'locked', detail }
  }
  const service = purpose === 'routing' ? 'Email Routing' : 'Email Sending'
  const way =
    purpose === 'routing'
      ? 'unlock it there, or disable Email Routing, first'
      : 'remove the domain there first'
  return { kind: 'locked', detail: `The ${type} record of ${name} is managed by ${service}: ${way}.` }
}

/** What stands against a record in a zone that holds these others. */
function clashes(record: RecordToPut, others: readonly ZoneRecordRow[]): RecordOutcome | undefined {
  const { name, type, content, priority } = record
  const here = others.filter((other) => other.name === name)
  const same = here.filter((other) => other.type === type)
  if (same.some((other) => other.content === content && other.priority === priority))
    return { kind: 'identical', detail: `There is a ${type} record of ${name} with this content.` }
  // RFC 1034 §3.6.2: where an alias is, nothing else is.
  const alias = type === 'CNAME' ? here[0] : here.find((other) => other.type === 'CNAME')
  if (alias) {
    const detail = `A CNAME record stands alone at its name, and ${name} has a record of type ${alias.type}.`
    return { kind: 'conflicting', detail }
  }
  // RFC 1034 §4.2.1: what lies at a delegation and below it is for others to answer, whatever the zone holds there.
  const cut = type === 'NS' && others.find((other) => other.locked && inside(other.name, name))
  if (cut) {
    const detail = `The ${cut.type} record of ${cut.name} is managed by the service, and a delegation of ${name} would take it out of DNS.`
    return { kind: 'conflicting', detail }
  }
  const managed = same.find((other) => other.locked && competes(record, other))
  if (managed) {
    const detail = `${name} has a ${type} record that is managed by the service, and this one would compete with it.`
    return { kind: 'conflicting', detail }
  }
  if (same.length >= RECORDS_PER_SET)
    return { kind: 'too-many', detail: `A name may have ${RECORDS_PER_SET} records of one type.` }
  if (others.length >= RECORDS_PER_ZONE)
    return { kind: 'too-many', detail: `A zone may have ${RECORDS_PER_ZONE} records.` }
  return undefined
}

/** Both are of one name and type: mail would go to either MX, and two SPF records (RFC 7208 §4.5) or two keys of one
 *  selector (RFC 6376 §3.6.2.2) make both void. */
function competes(record: RecordToPut, other: ZoneRecordRow): boolean {
  if (record.type === 'MX') return true
  if (record.type !== 'TXT') return false
  // RFC 8461 §3.1: two announcements of a policy are none.
  if (isStsText(record) && isStsText(other)) return true
  return (isSpf(record) && isSpf(other)) || record.name.includes('._domainkey.')
}
