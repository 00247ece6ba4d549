import { useQueries } from '@tanstack/react-query'
import type { CatchAllResult } from '#contract/rules.ts'
import { ask, withQuery } from '../api/ask.ts'
import { queryKey } from '../api/use-ask.ts'
import { routingPath } from './routing-paths.ts'

/** Where the catch-all of a domain is, the zone's own name or one below it. */
export function catchAllPath(zoneId: string, domain: string): string {
  return withQuery(routingPath(zoneId, 'rules/catch_all'), { subdomain: domain })
}

/** Those of several domains; without the ones that are still on their way. */
export function useCatchAlls(
  zoneId: string,
  domains: readonly string[],
): ReadonlyMap<string, CatchAllResult> {
  const all = useQueries({
    queries: domains.map((domain) => {
      const path = catchAllPath(zoneId, domain)
      return {
        queryKey: queryKey(path),
        queryFn: ({ signal }: { readonly signal: AbortSignal }) => ask<CatchAllResult>(path, { signal }),
      }
    }),
  })
  return new Map(
    domains.flatMap((domain, index) => {
      const data = all[index]?.data
      return data ? [[domain, data] as const] : []
    }),
  )
}
