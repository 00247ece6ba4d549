import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { ask, withQuery } from '../api/ask.ts'
import { type AskOptions, queryKey } from '../api/use-ask.ts'
import { routingPath } from './routing-paths.ts'

/** Each look asks DNS itself: often enough for somebody who waits. */
const LOOK_AGAIN_MS = 5000

/** How the routing records of a domain stand in DNS; looks again by itself until there is nothing to wait for. */
export function useRoutingRecords(
  zoneId: string,
  domain: string,
  { enabled = true }: Pick<AskOptions, 'enabled'> = {},
): UseQueryResult<DomainStatusBody> {
  const path = withQuery(routingPath(zoneId, 'dns/status'), { subdomain: domain })
  return useQuery({
    queryKey: queryKey(path),
    queryFn: ({ signal }) => ask<DomainStatusBody>(path, { signal }),
    enabled,
    refetchInterval: ({ state }) => (state.data && isSettled(state.data) ? false : LOOK_AGAIN_MS),
  })
}

/** Whether mail comes here and is signed. Who unlocked the records may have put another provider's MX beside them. */
export function isFine({ status }: Pick<RoutingSettingsBody, 'status'>): boolean {
  return status === 'ready' || status === 'unlocked'
}

/** Nothing is left to do, not even for the policy or for the next key. */
export function isSound(answer: DomainStatusBody): boolean {
  return isFine(answer) && answer.records.every(({ state }) => state === 'ready')
}

function isSettled(answer: DomainStatusBody): boolean {
  return isSound(answer) && answer.records.every(({ next }) => next !== true)
}
