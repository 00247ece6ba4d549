import { LinkButton } from '@cloudflare/kumo/components/button'
import { Tabs } from '@cloudflare/kumo/components/tabs'
import { EnvelopeSimpleIcon, ListBulletsIcon } from '@phosphor-icons/react'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import { zonePath } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAsk } from '../api/use-ask.ts'
import { DkimKeys } from '../domains/dkim-keys.tsx'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { DomainOverview } from './domain-overview.tsx'
import { DomainSettings } from './domain-settings.tsx'
import { DomainSmarthosts } from './domain-smarthosts.tsx'
import { DOMAIN_TABS, isDomainTab } from './domain-tabs.ts'
import { NoSuchDomain } from './no-such-domain.tsx'
import { domainRoute } from './routes.ts'
import { sendingDomainPath } from './use-domain-status.ts'

/** A sending domain and its zone. */
export interface OfDomain {
  readonly accountId: string
  readonly zone: ZoneDetail
  readonly domain: SendingSubdomainBody
}

export function DomainPage() {
  const { accountId, zoneId, domainId } = domainRoute.useParams()
  const zone = useAsk<ZoneDetail>(zonePath(zoneId))
  const domain = useAsk<SendingSubdomainBody>(sendingDomainPath(zoneId, domainId))
  if ([zone, domain].some(({ data, error }) => data === undefined && isUnknown(error)))
    return <NoSuchDomain accountId={accountId} />
  return (
    <Page
      title={domain.data?.name ?? 'Sending domain'}
      lead="What is sent from this domain, and how its records stand in DNS."
      actions={<Actions accountId={accountId} zoneId={zoneId} name={domain.data?.name} />}
    >
      <Asked of={zone}>
        {(zone) => (
          <Asked of={domain}>
            {(domain) => <DomainTabs accountId={accountId} zone={zone} domain={domain} />}
          </Asked>
        )}
      </Asked>
    </Page>
  )
}

function isUnknown(error: Error | null): boolean {
  return error instanceof Problem && error.status === 404
}

/** The tab that leads to the figures of the zone, which have a page of their own. */
const ANALYTICS = { value: 'analytics', label: 'Analytics' } as const

const [FIRST, ...OTHERS] = DOMAIN_TABS
// Second: on a phone the row is longer than the window.
const TABS = [FIRST, ANALYTICS, ...OTHERS]

function DomainTabs(of: OfDomain) {
  const { tab = 'overview' } = domainRoute.useSearch()
  const navigate = domainRoute.useNavigate()
  return (
    <>
      <Tabs
        variant="underline"
        className="mb-6"
        tabs={TABS}
        value={tab}
        onValueChange={(tab) => {
          if (tab === ANALYTICS.value) {
            void navigate({
              to: '/$accountId/sending/analytics',
              params: { accountId: of.accountId },
              search: { zone: of.zone.id },
            })
          }
          if (isDomainTab(tab)) void navigate({ search: tab === 'overview' ? {} : { tab } })
        }}
      />
      {tab === 'overview' && <DomainOverview {...of} />}
      {tab === 'dkim' && <SendingKeys {...of} />}
      {tab === 'smarthost' && <DomainSmarthosts {...of} />}
      {tab === 'settings' && <DomainSettings {...of} />}
    </>
  )
}

function SendingKeys({ zone, domain }: OfDomain) {
  const path = sendingDomainPath(zone.id, domain.tag)
  return (
    <DkimKeys
      lead="What is sent is signed with the active key; receivers find its other half in DNS."
      domain={domain.name}
      zone={zone}
      path={`${path}/dkim`}
      rotatePath={`${path}/dkim/rotate`}
      stale={path}
    />
  )
}

interface ActionsProps {
  readonly accountId: string
  readonly zoneId: string
  readonly name: string | undefined
}

function Actions({ accountId, zoneId, name }: ActionsProps) {
  const base = `/${accountId}/sending`
  const test = name === undefined ? '' : `?domain=${encodeURIComponent(name)}`
  return (
    <>
      <LinkButton
        variant="secondary"
        icon={<ListBulletsIcon aria-hidden />}
        href={`${base}/activity?zone=${zoneId}`}
      >
        Activity log
      </LinkButton>
      <LinkButton variant="primary" icon={<EnvelopeSimpleIcon aria-hidden />} href={`${base}/test${test}`}>
        Send a test
      </LinkButton>
    </>
  )
}
