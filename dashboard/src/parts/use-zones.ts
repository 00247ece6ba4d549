import type { UseQueryResult } from '@tanstack/react-query'
import type { ZoneBody } from '#contract/zones.ts'
import { withQuery } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'

/** The zones of an account, by name. */
export function useZones(accountId: string): UseQueryResult<readonly ZoneBody[]> {
  return useAsk(withQuery('/client/v4/zones', { 'account.id': accountId, per_page: 1000 }))
}
