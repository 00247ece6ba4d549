import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { DomainPreviewBody } from '#contract/onboarding-records.ts'
import { ask } from '../api/ask.ts'
import { queryKey } from '../api/use-ask.ts'

/** The records that the domain `name` would get, as things stand now; `path` is that of sending or of routing. Nothing
 *  is written. */
export function useRecordsPreview(path: string, name: string): UseQueryResult<DomainPreviewBody> {
  return useQuery({
    queryKey: [...queryKey(path), name],
    queryFn: ({ signal }) => ask<DomainPreviewBody>(path, { method: 'POST', body: { name }, signal }),
    staleTime: 0,
  })
}
