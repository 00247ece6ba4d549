import { accountPath, withQuery, zonePath } from '../api/ask.ts'
import type { MailDirection } from '../parts/mail-status.ts'
import { moment, parseTimeRange, spanOf } from '../parts/time-range.ts'
import type { ActivitySearch } from './routes.ts'

export const FILTER_NAMES = [
  ...(['search', 'status', 'domain', 'recipient', 'sender', 'subject', 'message_id'] as const),
  ...(['rule', 'cause'] as const),
] as const

export type FilterName = (typeof FILTER_NAMES)[number]

export const DEFAULT_RANGE = '24h'

/** Those of the dialog, with what each takes. */
export const FILTER_FIELDS = {
  recipient: { label: 'Recipient', hint: 'A whole address' },
  sender: { label: 'Sender', hint: 'A whole address, or <> for the null sender' },
  domain: { label: 'Domain', hint: 'Of the sender; of mail that came in, of the recipient' },
  subject: { label: 'Subject', hint: 'A part of it' },
  message_id: { label: 'Message ID', hint: 'With or without its angle brackets' },
  cause: { label: 'Cause', hint: 'Of a failure' },
  rule: { label: 'Rule', hint: 'The ID of a routing rule' },
} as const satisfies Partial<Record<FilterName, { readonly label: string; readonly hint: string }>>

export interface Log {
  readonly accountId: string
  readonly direction: MailDirection
  readonly search: ActivitySearch
}

/** The path of the log that these filters ask for; `more` is added to its query. */
export function logPath(
  { accountId, direction, search }: Log,
  more: Readonly<Record<string, string | number>> = {},
  below = '',
): string {
  const { zone, latest, live: _, open: __, range, ...filters } = search
  const path =
    zone === undefined ? accountPath(accountId, 'email/activity') : zonePath(zone, 'email/activity')
  return withQuery(`${path}${below}`, {
    ...{ direction, ...filters, ...timesOf(range ?? DEFAULT_RANGE), latest },
    ...more,
  })
}

/** Where the log goes on: the cursor has the filters. */
export function nextPath({ accountId, search: { zone } }: Log, cursor: string, perPage: number): string {
  const path =
    zone === undefined ? accountPath(accountId, 'email/activity') : zonePath(zone, 'email/activity')
  return withQuery(path, { cursor, per_page: perPage })
}

function timesOf(range: string): Readonly<Record<string, string>> {
  const parsed = parseTimeRange(range)
  if (!parsed) return {}
  if (parsed.kind === 'last') return { last: parsed.last }
  const { from, to } = spanOf(parsed, 0)
  return { since: moment(from), until: moment(to) }
}
