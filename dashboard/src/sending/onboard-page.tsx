import { LinkButton } from '@cloudflare/kumo/components/button'
import { coveringZone } from '../domains/covering-zone.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { useZones } from '../parts/use-zones.ts'
import { ChooseDomain } from './choose-domain.tsx'
import { ReviewRecords } from './review-records.tsx'
import { onboardRoute } from './routes.ts'

/** Onboarding a domain: which one, what would be written, and then it is. The address holds the domain, so that who has
 *  to wait for DNS comes back to the same place. */
export function OnboardPage() {
  const { accountId } = onboardRoute.useParams()
  const { domain } = onboardRoute.useSearch()
  const asked = useZones(accountId)
  return (
    <Page
      title="Onboard Domain"
      lead="Choose a domain, review the DNS records that sending needs, and confirm."
      actions={
        <LinkButton variant="secondary" href={`/${accountId}/sending/domains`}>
          All domains
        </LinkButton>
      }
    >
      <Asked of={asked}>
        {(zones) => {
          const zone = domain === undefined ? undefined : coveringZone(zones, domain)
          return domain === undefined || zone === undefined ? (
            <ChooseDomain zones={zones} initial={domain ?? ''} />
          ) : (
            <ReviewRecords key={domain} zone={zone} name={domain} />
          )
        }}
      </Asked>
    </Page>
  )
}
