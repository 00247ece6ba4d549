import { csvCell } from '#protocol/csv-cell.ts'
import { isoTime } from './read-wish.ts'
import type { Suppression } from './suppression.ts'

export const CSV_HEADER = 'email,expires_at,scope,note,reason,created_at,read_only,id\r\n'

/** One line of RFC 4180, the first columns in the order in which a file is imported. */
export function csvLine(entry: Suppression): string {
  const { email, expiresAt, scope, note, reason, createdAt, readOnly, id } = entry
  const cells = [
    email,
    expiresAt === null ? '' : isoTime(expiresAt),
    scope.type === 'account' ? 'account' : scope.value,
    note ?? '',
    ...[reason, isoTime(createdAt), String(readOnly), id],
  ]
  return `${cells.map(csvCell).join(',')}\r\n`
}
