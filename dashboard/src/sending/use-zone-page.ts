import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { ZoneBody } from '#contract/zones.ts'
import { type Answered, askWhole, withQuery } from '../api/ask.ts'
import { queryKey } from '../api/use-ask.ts'

interface ZonePageQuestion {
  readonly accountId: string
  /** A part of the name. */
  readonly name?: string | undefined
  readonly page: number
  readonly perPage: number
}

/** A page of an account’s zones, pending ones too. */
export function useZonePage(question: ZonePageQuestion): UseQueryResult<Answered<readonly ZoneBody[]>> {
  const { accountId, name, page, perPage } = question
  const path = withQuery('/client/v4/zones', {
    'account.id': accountId,
    name: name && `contains:${name}`,
    page,
    per_page: perPage,
  })
  return useQuery({
    queryKey: queryKey(path),
    queryFn: ({ signal }) => askWhole<readonly ZoneBody[]>(path, { signal }),
    placeholderData: keepPreviousData,
  })
}
