import { csvCell } from '#protocol/csv-cell.ts'
import type { AuditLine, AuditPage } from '#registry/accounts/audit-log.ts'
import { apiTime } from './api-time.ts'
import { auditLogBodyOf } from './audit-log-body.ts'
import { exportStream } from './export-stream.ts'
import type { FileAnswer } from './serve-operation.ts'

type ReadPage = (from: AuditPage['from'], limit: number) => Promise<readonly AuditLine[]>

const PAGE = 1000

const FORMATS = {
  csv: { header: csvHeader(), line: csvLine, type: 'text/csv; charset=utf-8; header=present' },
  ndjson: { header: '', line: jsonLine, type: 'application/x-ndjson' },
} as const

/** Lines of the audit log as a file. One page at a time is in memory, and the next is read when the client has taken the
 *  one before. */
export function auditFile(format: keyof typeof FORMATS, read: ReadPage): FileAnswer['file'] {
  const { header, line, type } = FORMATS[format]
  async function* text(): AsyncGenerator<string> {
    if (header !== '') yield header
    let from: AuditPage['from'] = 0
    for (;;) {
      const lines = await read(from, PAGE)
      if (lines.length > 0) yield lines.map(line).join('')
      const last = lines.at(-1)
      if (!last || lines.length < PAGE) return
      from = last
    }
  }
  return { name: `audit-log.${format}`, type, content: exportStream(text()) }
}

function csvHeader(): string {
  return 'id,when,action,actor_type,actor_id,actor_email,actor_ip,token_id,resource_type,resource_id,zone,before,after\r\n'
}

/** One line of RFC 4180. */
function csvLine({ id, at, action, actor, resource, zone, before, after }: AuditLine): string {
  const cells = [
    ...[id, apiTime(at), action, actor.type, actor.id, actor.email, actor.address, actor.tokenId],
    ...[resource.type, resource.id, zone, before, after],
  ]
  return `${cells.map((cell) => csvCell(cell ?? '')).join(',')}\r\n`
}

function jsonLine(line: AuditLine): string {
  return `${JSON.stringify(auditLogBodyOf(line))}\n`
}
