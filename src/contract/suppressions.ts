import { z } from 'zod'

/** `/accounts/{account_id}/email/sending/suppressions` and what is below it (newer-facts.md, clients.md). The schemas
 *  say which shapes exist; what the values must be (addresses, times, notes, domains) is the registry's to say. */
const scope = z.strictObject({
  type: z.enum(['account', 'sending_domain']),
  value: z.string().optional(),
})

export const createSuppression = z.strictObject({
  email: z.string(),
  expires_at: z.string().nullish(),
  note: z.string().nullish(),
  scope: scope.optional(),
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

export type SuppressionScopeBody =
  | { readonly type: 'account' }
  | { readonly type: 'sending_domain'; readonly value: string }

/** Times in ISO 8601; `expires_at` null means never. */
export interface SuppressionBody {
  readonly id: string
  readonly email: string
  readonly reason: 'manual' | 'complaint' | 'hard_bounce' | 'soft_bounce' | 'policy'
  readonly created_at: string
  readonly expires_at: string | null
  readonly read_only: boolean
  readonly scope: SuppressionScopeBody
}

/** What one entry shows that a list leaves out. */
export interface SuppressionDetail extends SuppressionBody {
  readonly note: string | null
}

/** Of create and delete. */
export interface SuppressionReference {
  readonly id: string
  readonly scope: SuppressionScopeBody
}

/** Some clients read `cursor`, others `next_cursor`; both are null at the end. */
export interface CursorInfo {
  readonly count: number
  readonly per_page: number
  readonly cursor: string | null
  readonly next_cursor: string | null
}

export interface BulkResult {
  readonly total: number
  readonly processed: number
  readonly deduplicated: number
  readonly errors: number
  readonly invalid: number
  readonly skipped: number
  /** In the order of the request, without the duplicates. */
  readonly items: readonly BulkItem[]
}

export interface BulkItem {
  readonly index: number
  readonly status: 'processed' | 'invalid' | 'error' | 'skipped'
  readonly email: string
  readonly id?: string
  readonly error?: string
  readonly scope?: SuppressionScopeBody
}

/** Of `…/suppressions/import`, which is ours: the API's own clients send a thousand at a time to `…/bulk`. */
export interface ImportResult extends Omit<BulkResult, 'items'> {
  readonly faults: readonly {
    readonly line: number
    readonly status: 'invalid' | 'skipped'
    readonly email?: string
    readonly error: string
  }[]
  readonly faults_left_out: number
}

/** Of `…/deliverability`, which is ours: what would become of a message to this recipient, and why. */
export interface DeliverabilityResult {
  readonly recipient: string
  readonly from: string
  readonly would_send: boolean
  /** What sending would answer if not. */
  readonly refusal: { readonly status: number; readonly code: number; readonly name: string } | null
  readonly checks: readonly DeliverabilityCheck[]
}

export interface DeliverabilityCheck {
  readonly check: 'recipient' | 'sender' | 'destination' | 'suppression' | 'quota'
  /** Null where a check before it leaves nothing to ask. */
  readonly passed: boolean | null
  readonly detail: string
  /** Of `suppression`: the entry that stands in the way. */
  readonly suppression?: SuppressionDetail
  /** Of `quota`: recipients counted today (UTC), and how many there may be, null for any number. */
  readonly quota?: { readonly used: number; readonly limit: number | null }
}
