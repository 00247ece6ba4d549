import { LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { PaperPlaneTiltIcon } from '@phosphor-icons/react'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { testRoute } from './routes.ts'
import { TestForm } from './test-form.tsx'
import { useSendingDomains } from './use-account-domains.ts'

/** A message by hand, beside the programs that send the same. */
export function TestPage() {
  const { accountId } = testRoute.useParams()
  const { domain } = testRoute.useSearch()
  const asked = useSendingDomains(accountId)
  // The list may still be the one from before the domain was onboarded: another would be chosen for it.
  const isOld =
    domain !== undefined && asked.isFetching && asked.data?.some(({ name }) => name === domain) === false
  return (
    <Page title="Send a test" lead="Write a message, send it, and take the same request along as code.">
      <Asked of={asked}>
        {(domains) =>
          isOld ? (
            <RowsSkeleton />
          ) : domains.length === 0 ? (
            <Empty
              icon={<PaperPlaneTiltIcon size={48} aria-hidden />}
              title="No domain sends yet"
              description="Mail is sent from a domain of yours. Onboard one first: it takes a minute."
              contents={
                <LinkButton variant="primary" href={`/${accountId}/sending/domains/onboard`}>
                  Onboard Domain
                </LinkButton>
              }
            />
          ) : (
            <TestForm accountId={accountId} domains={domains} />
          )
        }
      </Asked>
    </Page>
  )
}
