import type { Address } from '#model/address.ts'
import type { Write } from '#store/store.ts'

export type SuppressionReason = 'manual' | 'complaint' | 'hard_bounce' | 'soft_bounce' | 'policy'

export const REASONS = ['manual', 'complaint', 'hard_bounce', 'soft_bounce', 'policy'] as const

/** For whose mail an entry counts: all of the account's, or what is sent as one domain. */
export type SuppressionScope =
  | { readonly type: 'account' }
  | { readonly type: 'sending_domain'; readonly value: string }

export interface Suppression {
  readonly id: string
  readonly email: string
  /** `foldAddress(email)`. */
  readonly emailKey: string
  readonly scope: SuppressionScope
  readonly reason: SuppressionReason
  readonly note: string | null
  /** The operator's: the customer may not change it. */
  readonly readOnly: boolean
  readonly createdAt: number
  /** Milliseconds since 1970; null means never. */
  readonly expiresAt: number | null
}

/** What a customer wants. Without a scope it is the account's. */
export interface ManualSuppression {
  readonly email: Address
  readonly expiresAt: number | null
  readonly note: string | null
  readonly scope?: SuppressionScope
}

/** What somebody's hand did to an entry; `before` or `after` is absent where there was or is none. */
export interface SuppressionChanged {
  readonly before?: Suppression
  readonly after?: Suppression
  /** Milliseconds. */
  readonly at: number
}

/** What belongs into the commit of changes by hand because somebody has to be told of them. */
export type RecordSuppressions = (changes: readonly SuppressionChanged[]) => readonly Write[]

export interface SuppressionRow {
  readonly id: string
  readonly email: string
  readonly email_key: string
  readonly scope_type: SuppressionScope['type']
  readonly scope_value: string
  readonly reason: SuppressionReason
  readonly note: string | null
  readonly read_only: number
  readonly created_at: number
  readonly expires_at: number | null
}

export const COLUMNS =
  'id, email, email_key, scope_type, scope_value, reason, note, read_only, created_at, expires_at'

/** What every entry is made of, in the order in which the statements of this room fill it. */
export const INSERT = `insert into suppression
    (account_id, id, email, email_key, local_key, scope_type, scope_value, reason, note, read_only, created_at, expires_at)`

/** In `on conflict`: the entry that stands has ended, and so makes way for any other. */
export const EXPIRED =
  '(suppression.expires_at is not null and suppression.expires_at <= excluded.created_at)'

export function suppressionOf(row: SuppressionRow): Suppression {
  const { id, email, email_key: emailKey, reason, note, read_only, created_at, expires_at } = row
  return {
    id,
    email,
    emailKey,
    scope:
      row.scope_type === 'account' ? { type: 'account' } : { type: 'sending_domain', value: row.scope_value },
    reason,
    note,
    readOnly: read_only === 1,
    createdAt: created_at,
    expiresAt: expires_at,
  }
}

/** The local part of a key, with its '@'. */
export function localKeyOf(emailKey: string): string {
  return emailKey.slice(0, emailKey.lastIndexOf('@') + 1)
}

export function scopeValue(scope: SuppressionScope | undefined): string {
  return scope?.type === 'sending_domain' ? scope.value : ''
}
