import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { askWhole } from './ask.ts'
import { queryKey } from './use-ask.ts'

const PER_PAGE = 1000

/** A list that is walked by `page`, all of it: for lists that have a limit of their own. `path` may have a query. */
export async function askEveryPage<R>(path: string, signal?: AbortSignal): Promise<readonly R[]> {
  const all: R[] = []
  const joint = path.includes('?') ? '&' : '?'
  for (let page = 1; ; page++) {
    const { result, info } = await askWhole<readonly R[]>(
      `${path}${joint}page=${page}&per_page=${PER_PAGE}`,
      signal ? { signal } : {},
    )
    all.push(...result)
    if (result.length === 0 || all.length >= (info?.total_count ?? 0)) return all
  }
}

interface EveryPageOptions<R> {
  /** Asks again that often (ms), while the page is looked at. */
  readonly every?: (all: readonly R[] | undefined) => number | false
  readonly enabled?: boolean
}

/** The same, kept below `path`, so that what asks anew for that asks anew for this. */
export function useEveryPage<R>(
  path: string,
  { every = () => false, enabled = true }: EveryPageOptions<R> = {},
): UseQueryResult<readonly R[]> {
  return useQuery({
    queryKey: [...queryKey(path), 'every page'],
    queryFn: ({ signal }) => askEveryPage<R>(path, signal),
    refetchInterval: ({ state }) => every(state.data),
    enabled,
  })
}
