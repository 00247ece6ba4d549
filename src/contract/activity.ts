import { z } from 'zod'
import { operation } from './operation.ts'

/** `/accounts/{account_id}/email/activity`, and the same of one zone: the log of the original's dashboard
 *  (observability-logs.md), which has no API for it. Times are in ISO 8601. */
export const ACTIVITY_STATUSES = [
  'sent',
  'delivered',
  'forwarded',
  'handled',
  'deliveryFailed',
  'rejected',
  'dropped',
  'failed',
  'error',
] as const

const authentication = 'In the words of RFC 8601 §2.7'

/** One event as it concerns one recipient. */
export const activity = z
  .object({
    id: z.string().describe('Of this line: an event that concerns several recipients has one for each'),
    event_id: z.string().describe('As the timeline of the message has it'),
    at: z.string(),
    direction: z.enum(['sending', 'routing']).nullable().describe('Null for mail of the service itself'),
    status: z
      .enum(ACTIVITY_STATUSES)
      .nullable()
      .describe('Null for a step that has no status of its own; those are listed with steps=true alone'),
    type: z.string().describe('What happened, as the timeline has it'),
    event_type: z.string().describe('Where the mail came from: incoming, forward, reply or newEmail'),
    zone_id: z.string().nullable(),
    domain: z.string().describe('Of the sender; of mail that came in, of the recipient'),
    from: z.string().describe('The envelope sender; empty for the null sender'),
    to: z.string().describe('The envelope recipient'),
    subject: z.string(),
    message_id: z
      .string()
      .nullable()
      .describe('By which its timeline is asked for; null for what was refused before it was a message'),
    header_message_id: z
      .string()
      .nullable()
      .describe('Message-ID, as the header has it, also of mail that came in; null where there is none'),
    delivery_id: z.string().nullable(),
    rule_id: z.string().nullable(),
    action: z.string().nullable().describe('Of the routing rule'),
    cause: z.string().nullable(),
    error: z.string().nullable().describe('What the recipient’s server said, or why it was refused'),
    spf: z.string().nullable().describe(`${authentication}; of sent mail what the last look at DNS says`),
    dkim: z.string().nullable().describe(authentication),
    dmarc: z.string().nullable().describe(authentication),
    arc: z.string().nullable().describe(authentication),
    is_spam: z.boolean(),
    is_ndr: z.boolean().describe('A report about other mail'),
    is_last_event: z.boolean().describe('Whether nothing later is known about this recipient of the message'),
    session_id: z.string().nullable().describe('Of the SMTP session by which it came in'),
  })
  .meta({ id: 'Activity' })

export type ActivityBody = z.output<typeof activity>

/** Each as it is written; a cursor carries them so. */
const filters = {
  status: z
    .string()
    .max(200)
    .describe(`One of ${ACTIVITY_STATUSES.join(', ')}, or several with commas between them`)
    .optional(),
  direction: z.enum(['sending', 'routing']).optional(),
  domain: z.string().max(300).describe('Of the sender; of mail that came in, of the recipient').optional(),
  recipient: z.string().max(320).describe('A whole address').optional(),
  sender: z.string().max(320).describe('A whole address, or <> for the null sender').optional(),
  subject: z
    .string()
    .max(200)
    .describe('A part of it; the case of ASCII letters counts for nothing')
    .optional(),
  message_id: z
    .string()
    .max(1000)
    .describe(
      'As the log shows it, or as the header of the message has it; with or without angle brackets. Of sent mail its part before the @ will do',
    )
    .optional(),
  rule: z.string().max(64).describe('The id of a routing rule').optional(),
  cause: z.string().max(100).describe('Of a failure, such as recipient-unknown').optional(),
  search: z
    .string()
    .max(200)
    .describe(
      'A part of an address, of the subject or of the error, or a whole message id, of the log or of the header',
    )
    .optional(),
  last: z.string().max(20).describe('From 30m to 30d; in place of since and until').optional(),
  since: z.string().max(40).describe('A time with its offset, or a day; seconds count').optional(),
  until: z.string().max(40).describe('The same, and itself not within').optional(),
  latest: z.enum(['true', 'false']).describe('Only the last event of each recipient').optional(),
  steps: z
    .enum(['true', 'false'])
    .describe('Also what has no status of its own: put off, held, released, complained of')
    .optional(),
}

export const activityFilters = z.strictObject(filters)

export type ActivityFilters = z.output<typeof activityFilters>

const pages = z.strictObject({
  ...filters,
  per_page: z.coerce.number('a number from 1 to 1000').int().min(1).max(1000).default(100),
  cursor: z
    .string()
    .max(12_000)
    .describe('From the page before; it carries the filters. Without it the list starts anew')
    .optional(),
})

export type ActivityPage = z.output<typeof pages>

const file = z.strictObject({
  ...filters,
  format: z.enum(['csv', 'ndjson']).default('csv').describe('ndjson: lines of the list, one on each line'),
})

// What GraphQL shows of these events needs the same.
const reads = { permission: 'Analytics:Read', method: 'GET' } as const
const ofAccount = '/accounts/{account_id}/email/activity'
const ofZone = '/zones/{zone_id}/email/activity'
const list = { ...reads, query: pages, result: z.array(activity), paging: 'cursor' } as const
const exported = {
  ...reads,
  query: file,
  result: z.string(),
  resultTypes: ['text/csv', 'application/x-ndjson'],
} as const

export const listActivity = operation({
  ...list,
  id: 'activity.list',
  scope: 'account',
  path: ofAccount,
  summary:
    'Lists what happened to the account’s mail, the newest first; an event is in it after about a second.',
})

export const listZoneActivity = operation({
  ...list,
  id: 'activity.zone.list',
  scope: 'zone',
  path: ofZone,
  summary:
    'Lists what happened to the mail of a zone, the newest first; an event is in it after about a second.',
})

export const exportActivity = operation({
  ...exported,
  id: 'activity.export',
  scope: 'account',
  path: `${ofAccount}/export`,
  summary: 'The log as a file, of any length, with the filters of the list.',
})

export const exportZoneActivity = operation({
  ...exported,
  id: 'activity.zone.export',
  scope: 'zone',
  path: `${ofZone}/export`,
  summary: 'The log of a zone as a file, of any length, with the filters of the list.',
})

export const activityOperations = [listActivity, exportActivity, listZoneActivity, exportZoneActivity]
