import type { UseQueryResult } from '@tanstack/react-query'
import { accountPath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'

/** What `GET …/email/sending/limits` answers (contract/email-zones.ts). */
export interface SendingLimits {
  readonly quota: { readonly unit: 'day' | 'hour'; readonly value: number } | null
  readonly usage: {
    readonly sent: number
    readonly over_quota: boolean
    readonly resets_at: string | null
  } | null
  readonly reason: { readonly code: string; readonly detail: string; readonly since: string | null }
}

export function useSendingLimits(accountId: string): UseQueryResult<SendingLimits> {
  return useAsk(accountPath(accountId, 'email/sending/limits'), { every: 30_000 })
}
