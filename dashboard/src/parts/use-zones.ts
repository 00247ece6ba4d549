import type { UseQueryResult } from '@tanstack/react-query'
import type { ZoneBody } from '#contract/zones.ts'
import { withQuery } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'

/** The zones of an account, all of them, by name. */
export function useZones(accountId: string): UseQueryResult<readonly ZoneBody[]> {
  return useEveryPage(withQuery('/client/v4/zones', { 'account.id': accountId }))
}
