import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { request } from './ask.ts'
import { Problem } from './problem.ts'
import type { AskOptions } from './use-ask.ts'

interface GraphqlAnswer<Data> {
  readonly data: Data | null
  readonly errors?: readonly { readonly message: string }[] | null
}

/** The same endpoint that customers ask. */
export async function askGraphql<Data>(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<Data> {
  const response = await request('/client/v4/graphql', {
    method: 'POST',
    body: { query, variables },
    ...(signal && { signal }),
  })
  const { data, errors } = (await response.json()) as GraphqlAnswer<Data>
  if (data === null || (errors && errors.length > 0)) {
    throw new Problem(response.status, [], errors?.[0]?.message ?? `The server answered ${response.status}.`)
  }
  return data
}

export function useGraphql<Data>(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  { every = false, enabled = true }: AskOptions = {},
): UseQueryResult<Data> {
  return useQuery({
    queryKey: ['graphql', query, variables],
    queryFn: ({ signal }) => askGraphql<Data>(query, variables, signal),
    refetchInterval: every,
    enabled,
  })
}
