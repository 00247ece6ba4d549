import type { EventName } from './event-names.ts'

/** An HTTPS address that is told of events, as its account set it up and as it fares. */
export interface Webhook {
  readonly id: string
  readonly accountId: string
  readonly url: string
  readonly description: string
  /** Null: all that there are and will be. */
  readonly events: readonly EventName[] | null
  /** In lower-case A-labels; null: all of the account. */
  readonly domains: readonly string[] | null
  readonly state: WebhookState
  /** Milliseconds since 1970; null where it is not paused. */
  readonly pausedAt: number | null
  readonly pauseReason: PauseReason | null
  /** Failures in a row, and since when. */
  readonly failures: number
  readonly failingSince: number | null
  /** Events that it is not told of any more, since too many waited for it; since it was last enabled or changed its
   *  address. */
  readonly dropped: number
  readonly createdAt: number
  readonly modifiedAt: number
}

/** `active`: it is told. `disabled`: its owner does not want it to be, and what happens meanwhile is not kept for it.
 *  `paused`: it failed for days, or said that it is gone; what happens meanwhile waits for it, as much of it as
 *  may (`drop-oldest.ts`). */
export type WebhookState = 'active' | 'disabled' | 'paused'

export type PauseReason = 'failing' | 'gone'

/** A webhook, as the one who asks about it may: another account's is none. */
export interface WebhookPlace {
  readonly accountId: string
  readonly webhookId: string
}

export interface WebhookRow {
  readonly id: string
  readonly account_id: string
  readonly url: string
  readonly description: string
  readonly events: string | null
  readonly domains: string | null
  readonly state: WebhookState
  readonly paused_at: number | null
  readonly pause_reason: PauseReason | null
  readonly secrets: string
  readonly failures: number
  readonly failing_since: number | null
  readonly dropped: number
  readonly rest_until: number
  readonly created_at: number
  readonly modified_at: number
}

export const WEBHOOK_COLUMNS = `w.id, w.account_id, w.url, w.description, w.events, w.domains, w.state, w.paused_at,
  w.pause_reason, w.secrets, w.failures, w.failing_since, w.dropped, w.rest_until, w.created_at, w.modified_at`

export function webhookOf(row: WebhookRow): Webhook {
  return {
    id: row.id,
    accountId: row.account_id,
    url: row.url,
    description: row.description,
    // Written by the registry alone.
    events: row.events === null ? null : JSON.parse(row.events),
    domains: row.domains === null ? null : JSON.parse(row.domains),
    state: row.state,
    pausedAt: row.paused_at,
    pauseReason: row.pause_reason,
    failures: row.failures,
    failingSince: row.failing_since,
    dropped: row.dropped,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  }
}
