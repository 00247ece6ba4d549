import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { DomainPreviewBody } from '#contract/onboarding-records.ts'
import { ask } from '../api/ask.ts'
import { queryKey } from '../api/use-ask.ts'
import { blocks } from './record-problems.ts'

/** What stands in the way is removed elsewhere, by somebody who looks here. */
const LOOK_AGAIN_MS = 5000

/** The records that the domain `name` would get, as things stand now; `path` is that of sending or of routing. Nothing
 *  is written. */
export function useRecordsPreview(path: string, name: string): UseQueryResult<DomainPreviewBody> {
  return useQuery({
    queryKey: [...queryKey(path), name],
    queryFn: ({ signal }) => ask<DomainPreviewBody>(path, { method: 'POST', body: { name }, signal }),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.errors.some(blocks) === true ? LOOK_AGAIN_MS : false),
  })
}
