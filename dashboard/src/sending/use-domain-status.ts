import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import { ask, zonePath } from '../api/ask.ts'
import { queryKey } from '../api/use-ask.ts'

/** While somebody publishes records, at the least. */
const LOOK_AGAIN_MS = 5000

export function sendingDomainPath(zoneId: string, ...parts: readonly string[]): string {
  return zonePath(zoneId, 'email', 'sending', 'subdomains', ...parts)
}

/** How a domain's records stand in DNS; looks again by itself until they are all there. */
export function useDomainStatus(zoneId: string, domainId: string): UseQueryResult<DomainStatusBody> {
  const path = sendingDomainPath(zoneId, domainId, 'dns', 'status')
  return useQuery({
    queryKey: queryKey(path),
    queryFn: ({ signal }) => ask<DomainStatusBody>(path, { signal }),
    refetchInterval: ({ state }) => (state.data?.status === 'ready' ? false : LOOK_AGAIN_MS),
  })
}
