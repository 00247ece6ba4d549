import type { FastifyInstance } from 'fastify'
import { type AuditLogBody, listAuditLogs } from '#contract/audit-logs.ts'
import { type AuditFilter, type AuditLine, type AuditPage } from '#registry/accounts/audit-log.ts'
import { apiTime } from './api-time.ts'
import { explainLongScan } from './scan-too-long.ts'
import { type Fault, type ServedBy, serveOperation } from './serve-operation.ts'

export interface AuditWorld extends ServedBy {
  readonly auditLines: (
    accountId: string,
    filter: AuditFilter,
    page: AuditPage,
  ) => Promise<readonly AuditLine[]>
}

/** `/accounts/{account_id}/audit_logs`. */
export function auditLogRoutes(api: FastifyInstance, world: AuditWorld): void {
  api.register(async (routes) => {
    explainLongScan(routes, 'Narrow it by since and before.')
    serveOperation(routes, { operation: listAuditLogs, world }, async ({ accountId, query }) => {
      const cursor = query.cursor === undefined ? undefined : readCursor(query.cursor)
      if (cursor && 'status' in cursor) return cursor
      const limit = query.per_page
      const lines = await world.auditLines(
        accountId,
        {
          id: query.id,
          action: query['action.type'],
          email: query['actor.email'],
          address: query['actor.ip'],
          zone: query['zone.name']?.toLowerCase(),
          since: query.since === undefined ? undefined : Date.parse(query.since),
          before: query.before === undefined ? undefined : Date.parse(query.before),
          withoutUserLevel: query.hide_user_logs === 'true',
        },
        { limit, ascending: query.direction === 'asc', from: cursor ?? (query.page - 1) * limit },
      )
      // A page that is not full is the last: there is nothing after it to go on to.
      const last = lines.length < limit ? undefined : lines.at(-1)
      const next = last ? `${last.at.toString(36)}.${last.id}` : null
      const info = { page: query.page, per_page: limit, count: lines.length }
      return { result: lines.map(bodyOf), info: { ...info, cursor: next, next_cursor: next } }
    })
  })
}

function readCursor(text: string): { readonly at: number; readonly id: string } | Fault {
  const [, at = '', id = ''] = /^([0-9a-z]{1,11})\.([0-9a-f]{32})$/.exec(text) ?? []
  if (id !== '') return { at: Number.parseInt(at, 36), id }
  const detail = "The query parameter 'cursor': not one that a list gave."
  return { status: 400, code: 1004, message: 'Invalid query', detail, pointer: '?cursor' }
}

function bodyOf(line: AuditLine): AuditLogBody {
  const { actor } = line
  return {
    id: line.id,
    when: apiTime(line.at),
    action: { type: line.action, result: true },
    actor: {
      id: actor.id,
      type: actor.type,
      ...(actor.email !== null && { email: actor.email }),
      ...(actor.address !== '' && { ip: actor.address }),
    },
    interface: actor.type === 'system' ? 'system' : 'API',
    metadata: {
      ...(actor.tokenId !== null && { token_id: actor.tokenId }),
      ...(line.zone !== null && { zone_name: line.zone }),
    },
    owner: { id: line.accountId },
    resource: line.resource,
    oldValue: line.before ?? '',
    newValue: line.after ?? '',
    oldValueJson: parsed(line.before),
    newValueJson: parsed(line.after),
  }
}

function parsed(text: string | null): unknown {
  return text === null ? null : JSON.parse(text)
}
