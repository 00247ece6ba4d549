import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { DomainPreviewBody } from '#contract/onboarding-records.ts'
import { ask } from '../api/ask.ts'
import { queryKey } from '../api/use-ask.ts'
import { routingPath } from './routing-paths.ts'

/** The records that a domain would get, as things stand now. Nothing is written. */
export function useRoutingPreview(zoneId: string, name: string): UseQueryResult<DomainPreviewBody> {
  const path = routingPath(zoneId, 'dns/preview')
  return useQuery({
    queryKey: [...queryKey(path), name],
    queryFn: ({ signal }) => ask<DomainPreviewBody>(path, { method: 'POST', body: { name }, signal }),
    staleTime: 0,
  })
}
