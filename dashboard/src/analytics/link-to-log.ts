import { withQuery } from '../api/ask.ts'
import { parseTimeRange } from '../parts/time-range.ts'
import type { Scope } from './questions.ts'

/** The activity log with these filters, over the time that the page shows. */
export type LinkToLog = (filters: Readonly<Record<string, string>>) => string

export function linkToLogOf({ accountId, mail, zoneId }: Scope, range: string): LinkToLog {
  // The log goes back 30 days.
  const parsed = parseTimeRange(range)
  const shown = parsed?.kind === 'last' && parsed.ms > 30 * 86_400_000 ? '30d' : range
  return (filters) => withQuery(`/${accountId}/${mail}/activity`, { range: shown, zone: zoneId, ...filters })
}
