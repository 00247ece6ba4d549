import type { FastifyInstance } from 'fastify'
import { type AuditLogFilters, exportAuditLogs, listAuditLogs } from '#contract/audit-logs.ts'
import { addressRange } from '#registry/accounts/address-range.ts'
import type { AuditFilter, AuditLine, AuditPage } from '#registry/accounts/audit-log.ts'
import { auditFile } from './audit-file.ts'
import { auditLogBodyOf } from './audit-log-body.ts'
import { openExportPlaces } from './export-places.ts'
import { explainLongScan } from './scan-too-long.ts'
import { type Fault, type ServedBy, serveOperation } from './serve-operation.ts'

export interface AuditWorld extends ServedBy {
  readonly auditLines: (
    accountId: string,
    filter: AuditFilter,
    page: AuditPage,
  ) => Promise<readonly AuditLine[]>
}

/** `/accounts/{account_id}/audit_logs`, and the same as a file. */
export function auditLogRoutes(api: FastifyInstance, world: AuditWorld): void {
  const places = openExportPlaces()
  api.register(async (routes) => {
    explainLongScan(routes, 'Narrow it by since and before.')

    serveOperation(routes, { operation: listAuditLogs, world }, async ({ accountId, query }) => {
      const cursor = query.cursor === undefined ? undefined : readCursor(query.cursor)
      if (cursor && 'status' in cursor) return cursor
      const filter = readFilter(query)
      if ('status' in filter) return filter
      const limit = query.per_page
      const lines = await world.auditLines(accountId, filter, {
        ...{ limit, ascending: query.direction === 'asc', from: cursor ?? (query.page - 1) * limit },
      })
      // A page that is not full is the last: there is nothing after it to go on to.
      const last = lines.length < limit ? undefined : lines.at(-1)
      const next = last ? `${last.at.toString(36)}.${last.id}` : null
      const info = { page: query.page, per_page: limit, count: lines.length }
      return { result: lines.map(auditLogBodyOf), info: { ...info, cursor: next, next_cursor: next } }
    })

    serveOperation(routes, { operation: exportAuditLogs, world }, async ({ accountId, query }) => {
      const filter = readFilter(query)
      if ('status' in filter) return filter
      const giveBack = places.take(accountId)
      if (typeof giveBack !== 'function') return giveBack
      const ascending = query.direction === 'asc'
      const file = auditFile(query.format, (from, limit) =>
        world.auditLines(accountId, filter, { limit, ascending, from }),
      )
      file.content.once('close', giveBack)
      return { file }
    })
  })
}

function readFilter(query: AuditLogFilters): AuditFilter | Fault {
  const range = query['actor.ip']
  const addresses = range === undefined ? undefined : addressRange(range)
  if (range !== undefined && !addresses)
    return invalid('actor.ip', 'must be an address, or a range such as 192.0.2.0/24.')
  return {
    id: query.id,
    action: query['action.type'],
    email: query['actor.email'],
    addresses,
    zone: query['zone.name']?.toLowerCase(),
    since: query.since === undefined ? undefined : Date.parse(query.since),
    before: query.before === undefined ? undefined : Date.parse(query.before),
    withoutUserLevel: query.hide_user_logs === 'true',
  }
}

function invalid(name: string, wrong: string): Fault {
  const detail = `The query parameter '${name}': ${wrong}`
  return { status: 400, code: 1004, message: 'Invalid query', detail, pointer: `?${name}` }
}

function readCursor(text: string): { readonly at: number; readonly id: string } | Fault {
  const [, at = '', id = ''] = /^([0-9a-z]{1,11})\.([0-9a-f]{32})$/.exec(text) ?? []
  if (id !== '') return { at: Number.parseInt(at, 36), id }
  return invalid('cursor', 'not one that a list gave.')
}
