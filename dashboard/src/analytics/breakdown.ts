import { type MailDirection, statusesOf } from '../parts/mail-status.ts'
import type { BarPart } from './share-bars.tsx'
import type { GroupRow } from './use-figures.ts'

/** Rows by one dimension, those with the most first, each with its counts by status. */
export function byStatus(
  rows: readonly GroupRow[],
  keyOf: (row: GroupRow) => string,
  mail: MailDirection,
): readonly { readonly key: string; readonly total: number; readonly parts: readonly BarPart[] }[] {
  const counts = new Map<string, Map<string, number>>()
  for (const row of rows) {
    const key = keyOf(row)
    const of = counts.get(key) ?? new Map<string, number>()
    const status = String(row.dimensions['status'])
    of.set(status, (of.get(status) ?? 0) + row.count)
    counts.set(key, of)
  }
  return [...counts]
    .map(([key, of]) => ({
      key,
      total: [...of.values()].reduce((sum, count) => sum + count, 0),
      parts: statusesOf(mail).map(({ status, label }) => ({
        ...{ series: status, label, count: of.get(status) ?? 0 },
      })),
    }))
    .sort((one, other) => other.total - one.total)
}
