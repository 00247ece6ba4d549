import { z } from 'zod'
import { operation } from './operation.ts'

/** Who changed what, when and from where. */
export const auditLogBody = z
  .object({
    id: z.string(),
    when: z.string(),
    action: z.object({ type: z.string(), result: z.literal(true) }),
    actor: z.object({
      id: z.string(),
      /** `token`: of the account itself, with no user behind it. `system`: the service by itself. */
      type: z.enum(['user', 'token', 'system']),
      email: z.string().optional(),
      ip: z.string().optional(),
    }),
    interface: z.enum(['API', 'system']),
    metadata: z.record(z.string(), z.string()),
    owner: z.object({ id: z.string() }),
    resource: z.object({ type: z.string(), id: z.string() }),
    /** The resource before and after as JSON text, as the original's clients read it, and as JSON. */
    oldValue: z.string(),
    newValue: z.string(),
    oldValueJson: z.unknown(),
    newValueJson: z.unknown(),
  })
  .meta({ id: 'AuditLogEntry' })
export type AuditLogBody = z.output<typeof auditLogBody>

const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: 'must be a day or a time of RFC 3339',
})

const filters = z.object({
  direction: z.enum(['asc', 'desc']).default('desc'),
  id: z.string().optional(),
  since: moment.optional(),
  before: moment.optional(),
  'action.type': z.string().optional(),
  'actor.email': z.string().optional(),
  'actor.ip': z.string().max(100).describe('An address, or a range such as 192.0.2.0/24').optional(),
  'zone.name': z.string().optional(),
  hide_user_logs: z.enum(['true', 'false']).default('false'),
})
export type AuditLogFilters = z.output<typeof filters>

const reads = { permission: 'Account Settings:Read', scope: 'account', method: 'GET' } as const
const path = '/accounts/{account_id}/audit_logs'

export const listAuditLogs = operation({
  ...reads,
  id: 'audit_logs.list',
  path,
  summary: 'Lists the changes that were made in an account, the latest first.',
  query: filters.extend({
    page: z.coerce.number('a page number, from 1 on').int().min(1).max(10_000).default(1),
    per_page: z.coerce.number('a number from 1 to 1000').int().min(1).max(1000).default(100),
    /** Goes on where a page ended, however far that is; `page` counts for nothing then. */
    cursor: z.string().max(100).optional(),
  }),
  result: z.array(auditLogBody),
  paging: 'pages',
})

export const exportAuditLogs = operation({
  ...reads,
  id: 'audit_logs.export',
  path: `${path}/export`,
  summary: 'The audit log as a file, of any length, with the filters of the list. Not the original’s.',
  query: filters.extend({
    format: z
      .enum(['csv', 'ndjson'])
      .default('csv')
      .describe('ndjson: the entries of the list, one on each line'),
  }),
  result: z.string(),
  resultTypes: ['text/csv', 'application/x-ndjson'],
})

export const auditLogsOperations = [listAuditLogs, exportAuditLogs]
