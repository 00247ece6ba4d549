import { FORMULA_START } from './import-suppressions.ts'
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

/** A spreadsheet that opens the file must not run what somebody wrote as a formula. */
export function csvCell(text: string): string {
  const safe = FORMULA_START.test(text) ? `'${text}` : text
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
