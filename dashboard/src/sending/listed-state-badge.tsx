import { SkeletonLine } from '@cloudflare/kumo/components/loader'
import type { AccountDomainBody } from '#contract/account-domains.ts'
import { problemText } from '../api/problem.ts'
import { DomainStateBadge, listedState, stateOf } from './domain-state.tsx'
import { useDomainStatus } from './use-domain-status.ts'

/** A domain's own state, as of the last look at DNS; where there was none yet, as of one that is made now. */
export function ListedStateBadge({ entry }: { readonly entry: AccountDomainBody }) {
  const { tag, zone, status } = entry
  if (tag !== null && status === null && zone.status === 'active')
    return <FirstLook zoneId={zone.id} domainId={tag} />
  return <DomainStateBadge state={listedState(entry)} />
}

function FirstLook({ zoneId, domainId }: { readonly zoneId: string; readonly domainId: string }) {
  const { data, error } = useDomainStatus(zoneId, domainId)
  if (data) return <DomainStateBadge state={stateOf(data)} />
  return error ? (
    problemText(error)
  ) : (
    <span className="block w-24">
      <SkeletonLine minWidth={60} maxWidth={80} />
    </span>
  )
}
