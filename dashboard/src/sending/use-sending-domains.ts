import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import { accountPath, ask, withQuery } from '../api/ask.ts'
import { sendingDomainPath } from './use-domain-status.ts'

export interface SendingDomain {
  readonly zoneId: string
  readonly tag: string
  readonly name: string
  /** As of the last look at the zone's records. */
  readonly isVerified: boolean
}

/** Zones whose domains are asked for; each is a request. */
const MOST_ZONES = 50

/** The domains of an account that send, the verified ones first. */
export function useSendingDomains(accountId: string): UseQueryResult<readonly SendingDomain[]> {
  return useQuery({
    // Below the zones, so that whatever changes one of them has this asked anew.
    queryKey: ['client', 'v4', 'zones', 'sending-domains', accountId],
    async queryFn({ signal }) {
      const path = withQuery(accountPath(accountId, 'email/sending/zones'), { per_page: 1000 })
      const zones = await ask<RoutingSettingsBody[]>(path, { signal })
      const sending = zones.filter(({ enabled }) => enabled).slice(0, MOST_ZONES)
      const domains = await Promise.all(
        sending.map(async ({ id, status }) => {
          const all = await ask<SendingSubdomainBody[]>(sendingDomainPath(id), { signal })
          const isVerified = status === 'ready' || status === 'unlocked'
          return all
            .filter(({ enabled }) => enabled)
            .map(({ name, tag }) => ({ zoneId: id, tag, name, isVerified }))
        }),
      )
      return domains.flat().toSorted((one, other) => Number(other.isVerified) - Number(one.isVerified))
    },
  })
}
