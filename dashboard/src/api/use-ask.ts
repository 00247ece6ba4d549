import {
  keepPreviousData,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { ask } from './ask.ts'

export interface AskOptions {
  /** Asks again that often (ms), while the page is looked at. */
  readonly every?: number | false
  readonly enabled?: boolean
  /** Shows the answer to the question before while this one is under way. */
  readonly keepPrevious?: boolean
}

/** Asks for `path` and keeps the answer under it: `useAct` says which paths to ask anew. */
export function useAsk<R>(path: string, options: AskOptions = {}): UseQueryResult<R> {
  const { every = false, enabled = true, keepPrevious = false } = options
  return useQuery({
    queryKey: queryKey(path),
    queryFn: ({ signal }) => ask<R>(path, { signal }),
    refetchInterval: every,
    enabled,
    ...(keepPrevious && { placeholderData: keepPreviousData }),
  })
}

/** The key of what `path` answers: its segments, so that a path stands for everything below it. */
export function queryKey(path: string): readonly string[] {
  const [bare = '', query] = path.split('?', 2)
  return [...bare.split('/').filter((part) => part !== ''), ...(query === undefined ? [] : [`?${query}`])]
}

/** Does something, then asks anew for `stale` paths and everything below them. Its promise waits for those answers, so
 *  that a dialog closes over what it changed. */
export function useAct<Input, Result>(
  act: (input: Input) => Promise<Result>,
  stale: readonly string[],
): UseMutationResult<Result, Error, Input> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSettled: () => Promise.all(stale.map((path) => client.invalidateQueries({ queryKey: queryKey(path) }))),
  })
}
