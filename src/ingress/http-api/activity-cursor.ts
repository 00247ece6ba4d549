import { z } from 'zod'
import type { EventPosition } from '#analytics/history-query.ts'
import { type ActivityFilters, activityFilters } from '#contract/activity.ts'
import { holdsNul } from './read-operation.ts'

/** Where a page of the log begins, and of which list. Whose events they are it does not say: the route asks that anew,
 *  so nobody can make one that shows more, and what it carries is read as a query is. */
export interface ActivityCursor {
  readonly filters: ActivityFilters
  /** What `last` meant when the list began: the pages of one list are about one time. */
  readonly since: number | undefined
  readonly after: EventPosition
}

const written = z.tuple([
  z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)]),
  z.int().min(0).nullable(),
  activityFilters,
])

/** Every filter at its longest, in base64. */
const LONGEST = 12_000

export function encodeActivityCursor({ filters, since, after }: ActivityCursor): string {
  const text = JSON.stringify([[after.at, after.seq, after.ordinal], since ?? null, filters])
  return Buffer.from(text).toString('base64url')
}

/** Undefined for what `encodeActivityCursor` cannot have made. */
export function decodeActivityCursor(text: string): ActivityCursor | undefined {
  if (text.length > LONGEST) return undefined
  try {
    const [[at, seq, ordinal], since, filters] = written.parse(
      JSON.parse(Buffer.from(text, 'base64url').toString()),
    )
    if (holdsNul(filters)) return undefined
    return { filters, since: since ?? undefined, after: { at, seq, ordinal } }
  } catch {
    return undefined
  }
}

/** Whether two queries ask for the same. */
export function sameFilters(one: ActivityFilters, other: ActivityFilters): boolean {
  const key = (filters: ActivityFilters) =>
    JSON.stringify(Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1)))
  return key(one) === key(other)
}
