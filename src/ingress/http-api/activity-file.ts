import type { EventPosition, HistoryEvent } from '#analytics/history-query.ts'
import type { ActivityBody } from '#contract/activity.ts'
import { csvCell } from '#protocol/csv-cell.ts'
import { activityBody } from './activity-body.ts'
import { exportStream } from './export-stream.ts'
import type { FileAnswer } from './serve-operation.ts'

/** In the order of a reader's interest. */
const COLUMNS = [
  ...(['at', 'direction', 'status', 'type', 'event_type', 'domain', 'from', 'to', 'subject'] as const),
  ...([
    'message_id',
    'header_message_id',
    'rule_id',
    'action',
    'cause',
    'error',
    'spf',
    'dkim',
    'dmarc',
    'arc',
  ] as const),
  ...(['is_spam', 'is_ndr', 'is_last_event', 'session_id', 'delivery_id', 'zone_id'] as const),
  ...(['event_id', 'id'] as const),
] as const satisfies readonly (keyof ActivityBody)[]

const FORMATS = {
  csv: { header: `${COLUMNS.join(',')}\r\n`, line: csvLine, type: 'text/csv; charset=utf-8; header=present' },
  ndjson: { header: '', line: jsonLine, type: 'application/x-ndjson' },
} as const

export interface FoundPage {
  readonly rows: readonly HistoryEvent[]
  /** Where the next one goes on, if it does not after the last of these. */
  readonly reached?: EventPosition
}

/** Events as a file, from the page that is there on. One page at a time is in memory, and the next is read when the
 *  client has taken the one before. `next` answers an empty page at the end, which has reached nothing. */
export function activityFile(
  format: keyof typeof FORMATS,
  first: FoundPage,
  next: (after: EventPosition) => Promise<FoundPage>,
): FileAnswer['file'] {
  const { header, line, type } = FORMATS[format]
  async function* text(): AsyncGenerator<string> {
    if (header !== '') yield header
    let page = first
    for (;;) {
      const after = page.reached ?? page.rows.at(-1)
      if (!after) return
      if (page.rows.length > 0) yield page.rows.map((event) => line(activityBody(event))).join('')
      page = await next(after)
    }
  }
  return { name: `email-activity.${format}`, type, content: exportStream(text()) }
}

/** One line of RFC 4180. */
function csvLine(body: ActivityBody): string {
  return `${COLUMNS.map((name) => csvCell(String(body[name] ?? ''))).join(',')}\r\n`
}

function jsonLine(body: ActivityBody): string {
  return `${JSON.stringify(body)}\n`
}
