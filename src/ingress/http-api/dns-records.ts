import type { FastifyInstance } from 'fastify'
import {
  createDnsRecord,
  type DnsRecordBody,
  deleteDnsRecord,
  editDnsRecord,
  getDnsRecord,
  listDnsRecords,
  replaceDnsRecord,
} from '#contract/dns-records.ts'
import { pageInfo } from '#contract/paging.ts'
import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type { ZoneRecordRow } from '#registry/domains/dns-provider.ts'
import type { Domains } from '#registry/domains/domains.ts'
import type { GivenRecord } from '#registry/domains/read-record.ts'
import { isRecordType, partsOf, RECORD_TYPES } from '#registry/domains/record-types.ts'
import type { NoteRecord, RecordOutcome } from '#registry/domains/zone-records.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { apiTime } from './api-time.ts'
import { isWantedRecord, orderRecords } from './dns-record-filter.ts'
import { type Answer, type Fault, NO_SUCH_OBJECT, type ServedBy, serveOperation } from './serve-operation.ts'

export interface DnsRecordsWorld extends ServedBy {
  readonly domains: Pick<Domains, 'zone' | 'zoneControl'>
}

/** `/zones/{zone_id}/dns_records`. */
export function dnsRecordRoutes(api: FastifyInstance, world: DnsRecordsWorld): void {
  const { domains } = world
  const { records } = domains.zoneControl

  serveOperation(api, { operation: listDnsRecords, world }, async ({ accountId, params, query }) => {
    const found = await look(accountId, params)
    if (!found) return NO_SUCH_OBJECT
    const wanted = orderRecords(
      found.rows.filter((row) => isWantedRecord(row, query)),
      query,
    )
    const shown = wanted.slice((query.page - 1) * query.per_page, query.page * query.per_page)
    const result = shown.map((row) => bodyOf(row, found.zone))
    return { result, info: pageInfo(query, result.length, wanted.length) }
  })

  serveOperation(api, { operation: getDnsRecord, world }, async ({ accountId, params }) => {
    const found = await look(accountId, params)
    const row = found?.rows.find(({ id }) => id === recordId(params))
    return found && row ? { result: bodyOf(row, found.zone) } : NO_SUCH_RECORD
  })

  serveOperation(api, { operation: createDnsRecord, world }, async ({ by, accountId, params, body }) => {
    if (body.proxied === true) return PROXIED
    const place = { accountId, zoneId: params['zone_id'] ?? '' }
    const outcome = await records.create(place, givenOf(body), note(by.audit))
    return answerOf(outcome, place)
  })

  serveOperation(api, { operation: replaceDnsRecord, world }, async ({ by, accountId, params, body }) => {
    if (body.proxied === true) return PROXIED
    const place = { accountId, zoneId: params['zone_id'] ?? '', recordId: recordId(params) }
    return answerOf(await records.replace(place, givenOf(body), note(by.audit)), place)
  })

  serveOperation(api, { operation: editDnsRecord, world }, async ({ by, accountId, params, body }) => {
    if (body.proxied === true) return PROXIED
    const place = { accountId, zoneId: params['zone_id'] ?? '', recordId: recordId(params) }
    return answerOf(await records.edit(place, givenOf(body), note(by.audit)), place)
  })

  serveOperation(api, { operation: deleteDnsRecord, world }, async ({ by, accountId, params }) => {
    const id = recordId(params)
    const outcome = await records.remove(
      { accountId, zoneId: params['zone_id'] ?? '', recordId: id },
      note(by.audit),
    )
    return outcome.kind === 'done' ? { result: { id } } : faultOf(outcome)
  })

  async function look(accountId: string, params: Readonly<Record<string, string>>) {
    const zone = await domains.zone(accountId, params['zone_id'] ?? '')
    const rows = await records.list(accountId, params['zone_id'] ?? '')
    return zone && rows && { zone, rows }
  }

  async function answerOf(
    outcome: RecordOutcome,
    { accountId, zoneId }: { readonly accountId: string; readonly zoneId: string },
  ): Promise<Answer<DnsRecordBody>> {
    if (outcome.kind !== 'done') return faultOf(outcome)
    const zone = await domains.zone(accountId, zoneId)
    return zone ? { result: bodyOf(outcome.record, zone) } : NO_SUCH_OBJECT
  }
}

function recordId(params: Readonly<Record<string, string>>): string {
  return params['dns_record_id']?.toLowerCase() ?? ''
}

function givenOf<T extends { readonly proxied?: unknown }>(body: T): Omit<T, 'proxied'> {
  const { proxied: _, ...given } = body
  return given
}

function note(actor: AuditActor): NoteRecord {
  return ({ zone, before, after, at }) => {
    const id = after?.id ?? before?.id ?? ''
    const action = !before ? 'dns_record.create' : !after ? 'dns_record.delete' : 'dns_record.update'
    return [
      auditWrite({
        ...{ accountId: zone.accountId, actor, action, at, zone: zone.name },
        resource: { type: 'dns_record', id },
        ...(before && { before: bodyOf(before, zone) }),
        ...(after && { after: bodyOf(after, zone) }),
      }),
    ]
  }
}

function bodyOf(row: ZoneRecordRow, zone: Zone): DnsRecordBody {
  const { id, name, type, content, priority, ttl, locked, purpose, comment, tags } = row
  const data = isRecordType(type) ? RECORD_TYPES[type].read(content, priority) : undefined
  const parts = data === undefined || typeof data === 'string' ? undefined : partsOf(data)
  return {
    ...{ id, zone_id: zone.id, zone_name: zone.name, name, type, content },
    ...(parts && { data: parts }),
    ...(priority !== null && { priority }),
    ...{ ttl, proxiable: false, proxied: false, locked, settings: {} },
    meta: {
      auto_added: purpose !== 'owner',
      read_only: locked,
      email_routing: purpose === 'routing',
      email_sending: purpose === 'sending',
    },
    ...{ comment, tags: [...tags] },
    created_on: apiTime(row.createdAt),
    modified_on: apiTime(row.modifiedAt),
  }
}

const NO_SUCH_RECORD: Fault = { status: 404, code: 81044, message: 'Record does not exist.' }

const PROXIED: Fault = {
  ...{ status: 400, code: 1004, message: 'DNS Validation Error', pointer: '/proxied' },
  ...{ detail: 'Nothing is proxied here: "proxied" may be false only.', detailCode: 9004 },
}

/** The original's codes for what is wrong with a field, where it has one. */
const FIELD_CODES: Readonly<Partial<Record<keyof GivenRecord, number>>> = {
  name: 9000,
  type: 9001,
  content: 9005,
  data: 9005,
  priority: 9101,
  ttl: 9021,
}

function faultOf(outcome: Exclude<RecordOutcome, { kind: 'done' }>): Fault {
  switch (outcome.kind) {
    case 'unknown':
      return NO_SUCH_RECORD
    case 'invalid': {
      const { field, detail } = outcome
      const detailCode = FIELD_CODES[field] ?? 1004
      return {
        status: 400,
        code: 1004,
        message: 'DNS Validation Error',
        detail,
        detailCode,
        pointer: `/${field}`,
      }
    }
    case 'locked':
      return { status: 403, code: 890190, message: outcome.detail }
    case 'identical':
      return {
        status: 400,
        code: 81058,
        message: 'An identical record already exists.',
        detail: outcome.detail,
      }
    case 'conflicting':
      return {
        status: 400,
        code: 81053,
        message: 'A record with that host already exists.',
        detail: outcome.detail,
      }
    case 'too-many':
      return {
        status: 400,
        code: 81045,
        message: 'The record quota has been exceeded.',
        detail: outcome.detail,
      }
    case 'not-hosted':
      return { status: 400, code: 1004, message: 'DNS Validation Error', detail: outcome.detail }
  }
}
