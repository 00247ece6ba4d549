import { useSession } from '../api/session.ts'
import { SimulatorAddresses } from '../inbox/simulator-addresses.tsx'
import { Page } from '../parts/page.tsx'
import { useAccount } from '../shell/use-account.ts'
import { Attention } from './attention.tsx'
import { DomainsSection } from './domains-section.tsx'
import { FirstSteps } from './first-steps.tsx'
import { LastDay } from './last-day.tsx'
import { QuotaSection } from './quota-section.tsx'

/** Home: how the account is, what wants attention, and what to do first. */
export function OverviewPage() {
  const { id, name } = useAccount()
  const { development } = useSession()
  return (
    <Page title="Overview" lead={`What ${name} sends, and how it fares.`}>
      <Attention accountId={id} />
      <FirstSteps accountId={id} />
      <LastDay accountId={id} />
      <div className="grid gap-x-6 lg:grid-cols-2">
        <DomainsSection accountId={id} />
        <QuotaSection accountId={id} />
      </div>
      {development && <SimulatorAddresses />}
    </Page>
  )
}
