import type { AuditLogBody } from '#contract/audit-logs.ts'
import type { AuditLine } from '#registry/accounts/audit-log.ts'
import { apiTime } from './api-time.ts'

export function auditLogBodyOf(line: AuditLine): AuditLogBody {
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
