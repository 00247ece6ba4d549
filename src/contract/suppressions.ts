import { z } from 'zod'
import { operation } from './operation.ts'
import { cursorQuery } from './paging.ts'

/** `/accounts/{account_id}/email/sending/suppressions` and what is below it (newer-facts.md, clients.md). The schemas
 *  say which shapes exist; what the values must be (addresses, times, notes, domains) is the registry's to say. */
const givenScope = z.strictObject({
  type: z.enum(['account', 'sending_domain']),
  value: z.string().optional(),
})

export const createSuppression = z.strictObject({
  email: z.string(),
  expires_at: z.string().nullish(),
  note: z.string().nullish(),
  scope: givenScope.optional(),
})

export const bulkSuppressions = z.strictObject({
  items: z.array(createSuppression).min(1).max(1000, 'may have 1,000 entries at most'),
})

export const editSuppression = z.strictObject({
  expires_at: z.string().nullish(),
  note: z.string().nullish(),
  /** Refused by a name of its own, whatever it is. */
  scope: z.unknown().optional(),
})

export type CreateSuppression = z.output<typeof createSuppression>
export type BulkSuppressions = z.output<typeof bulkSuppressions>
export type EditSuppression = z.output<typeof editSuppression>

const scope = z.discriminatedUnion('type', [
  z.object({ type: z.literal('account') }),
  z.object({ type: z.literal('sending_domain'), value: z.string() }),
])

export type SuppressionScopeBody = z.output<typeof scope>

const reason = z.enum(['manual', 'complaint', 'hard_bounce', 'soft_bounce', 'policy'])

const entry = z.object({
  id: z.string(),
  email: z.string(),
  reason,
  created_at: z.string(),
  expires_at: z.string().nullable().describe('Null for never'),
  read_only: z.boolean().describe('Whether it is the operator’s, which no account changes'),
  scope,
})

/** Times in ISO 8601. */
const suppression = entry.meta({ id: 'Suppression' })

export type SuppressionBody = z.output<typeof suppression>

/** What one entry shows that a list leaves out. */
const suppressionDetail = entry.extend({ note: z.string().nullable() }).meta({ id: 'SuppressionDetail' })

export type SuppressionDetail = z.output<typeof suppressionDetail>

/** Of create and delete. */
const reference = z.object({ id: z.string(), scope })

export type SuppressionReference = z.output<typeof reference>

const bulkItem = z.object({
  index: z.number().int(),
  status: z.enum(['processed', 'invalid', 'error', 'skipped']),
  email: z.string(),
  id: z.string().optional(),
  error: z.string().optional(),
  scope: scope.optional(),
})

export type BulkItem = z.output<typeof bulkItem>

const counts = {
  total: z.number().int(),
  processed: z.number().int(),
  deduplicated: z.number().int(),
  errors: z.number().int(),
  invalid: z.number().int(),
  skipped: z.number().int(),
}

const bulkResult = z.object({
  ...counts,
  items: z.array(bulkItem).describe('In the order of the request, without the duplicates'),
})

export type BulkResult = z.output<typeof bulkResult>

/** Of `…/suppressions/import`, which is ours: the API's own clients send a thousand at a time to `…/bulk`. */
const importResult = z.object({
  ...counts,
  faults: z.array(
    z.object({
      line: z.number().int(),
      status: z.enum(['invalid', 'skipped']),
      email: z.string().optional(),
      error: z.string(),
    }),
  ),
  faults_left_out: z.number().int(),
})

export type ImportResult = z.output<typeof importResult>

const deliverabilityCheck = z.object({
  check: z.enum(['recipient', 'sender', 'destination', 'suppression', 'quota']),
  passed: z.boolean().nullable().describe('Null where a check before it leaves nothing to ask'),
  detail: z.string(),
  suppression: suppressionDetail
    .optional()
    .describe('Of the check “suppression”: the entry that stands in the way'),
  quota: z
    .object({ used: z.number().int(), limit: z.number().int().nullable() })
    .optional()
    .describe(
      'Of the check “quota”: recipients counted today (UTC), and how many there may be, null for any number',
    ),
})

export type DeliverabilityCheck = z.output<typeof deliverabilityCheck>

/** Of `…/deliverability`, which is ours: what would become of a message to this recipient, and why. */
const deliverability = z.object({
  recipient: z.string(),
  from: z.string(),
  would_send: z.boolean(),
  refusal: z
    .object({ status: z.number().int(), code: z.number().int(), name: z.string() })
    .nullable()
    .describe('What sending would answer if not'),
  checks: z.array(deliverabilityCheck),
})

export type DeliverabilityResult = z.output<typeof deliverability>

const base = '/accounts/{account_id}/email/sending/suppressions'
const one = `${base}/{suppression_id}` as const
// newer-facts.md asks for Edit on every call, the reading ones too.
const edits = { permission: 'Email Sending:Edit', scope: 'account', codes: 'sending' } as const

const filters = z.object({
  email: z.string().describe('A whole address').optional(),
  search: z.string().describe('A whole address, or a local part with its @').optional(),
  reason: reason.optional(),
  scope_type: z.enum(['account', 'sending_domain']).optional(),
  scope_value: z.string().describe('A domain; with scope_type=sending_domain').optional(),
})

export const listSuppressions = operation({
  ...edits,
  id: 'suppressions.list',
  method: 'GET',
  path: base,
  summary: 'Lists who is not mailed, the latest entry first. A cursor carries its filters.',
  query: filters.extend(cursorQuery.shape),
  result: z.array(suppression),
  paging: 'cursor',
})

export const addSuppression = operation({
  ...edits,
  id: 'suppressions.create',
  method: 'POST',
  path: base,
  summary: 'Adds an entry; one that is there already is answered, unchanged.',
  body: createSuppression.meta({ examples: [{ email: 'user@example.com', note: 'Asked by phone' }] }),
  result: reference,
})

export const addSuppressions = operation({
  ...edits,
  id: 'suppressions.bulk',
  method: 'POST',
  path: `${base}/bulk`,
  summary: 'Adds up to a thousand entries, each with its own outcome; ten requests a minute.',
  body: bulkSuppressions.meta({
    examples: [{ items: [{ email: 'one@example.com' }, { email: 'two@example.com' }] }],
  }),
  result: bulkResult,
})

export const importSuppressions = operation({
  ...edits,
  id: 'suppressions.import',
  method: 'POST',
  path: `${base}/import`,
  summary: 'Adds the entries of a file, which is the body; counts as one request in bulk.',
  query: z.object({
    format: z
      .enum(['csv', 'json', 'txt'])
      .describe('What the file is, where its Content-Type does not say it')
      .optional(),
    expires_at: z.string().describe('When the entries end that say nothing of it themselves').optional(),
  }),
  body: z.string().meta({ examples: ['email\nuser@example.com\n'] }),
  bodyTypes: ['text/csv', 'application/json', 'text/plain'],
  result: importResult,
})

export const exportSuppressions = operation({
  ...edits,
  id: 'suppressions.export',
  method: 'GET',
  path: `${base}/export`,
  summary: 'The entries as a file, of any length, with the filters of the list.',
  query: filters.extend({ format: z.enum(['csv', 'json']).default('csv') }),
  result: z.string(),
  resultTypes: ['text/csv', 'application/json'],
})

export const getSuppression = operation({
  ...edits,
  id: 'suppressions.get',
  method: 'GET',
  path: one,
  summary: 'Shows an entry, with its note.',
  result: suppressionDetail,
})

export const changeSuppression = operation({
  ...edits,
  id: 'suppressions.edit',
  method: 'PATCH',
  path: one,
  summary: 'Changes when an entry ends, or its note; null takes the expiry away.',
  body: editSuppression.meta({ examples: [{ note: 'Asked by phone', expires_at: null }] }),
  result: suppressionDetail,
})

export const deleteSuppression = operation({
  ...edits,
  id: 'suppressions.delete',
  method: 'DELETE',
  path: one,
  summary: 'Deletes an entry, so that the recipient is mailed again; ten complaints a day.',
  result: reference,
})

export const getDeliverability = operation({
  ...edits,
  id: 'deliverability.get',
  method: 'GET',
  path: '/accounts/{account_id}/email/sending/deliverability',
  summary: 'Tells what would become of a message, and why; nothing is sent or counted.',
  query: z.object({ recipient: z.string(), from: z.string() }),
  result: deliverability,
})

export const suppressionOperations = [
  ...[listSuppressions, addSuppression, addSuppressions, importSuppressions, exportSuppressions],
  ...[getSuppression, changeSuppression, deleteSuppression, getDeliverability],
]
