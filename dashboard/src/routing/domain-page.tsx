import { LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Link } from '@cloudflare/kumo/components/link'
import { Tabs } from '@cloudflare/kumo/components/tabs'
import { ChartBarIcon, ListBulletsIcon, PathIcon } from '@phosphor-icons/react'
import { getRouteApi } from '@tanstack/react-router'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { Problem } from '../api/problem.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { useAccount } from '../shell/use-account.ts'
import { CatchAllTab } from './catch-all-tab.tsx'
import { NoSuchDomain } from './no-such-domain.tsx'
import { DOMAIN_TABS, type DomainSearch } from './routes.ts'
import { routingPath } from './routing-paths.ts'
import { RoutingStatus } from './routing-status.tsx'
import { RulesTab } from './rules-tab.tsx'
import { SettingsTab } from './settings-tab.tsx'

const route = getRouteApi('/signed-in/$accountId/routing/domains/$zoneId')

/** One zone: its rules, its catch-alls, its settings. */
export function DomainPage() {
  const { id } = useAccount()
  const { zoneId } = route.useParams()
  const settings = useAsk<RoutingSettingsBody>(routingPath(zoneId))
  if (settings.error instanceof Problem && settings.error.status === 404 && !settings.data)
    return <NoSuchDomain />
  return (
    <Asked of={settings}>
      {(zone) => (
        <Page
          title={zone.name}
          lead={<RoutingStatus zoneId={zoneId} settings={zone} />}
          actions={
            <>
              <LinkButton variant="secondary" href={`/${id}/routing/domains`}>
                All domains
              </LinkButton>
              <LinkButton
                variant="secondary"
                icon={<ChartBarIcon aria-hidden />}
                href={`/${id}/routing/analytics?zone=${zoneId}`}
              >
                Analytics
              </LinkButton>
              <LinkButton
                variant="secondary"
                icon={<ListBulletsIcon aria-hidden />}
                href={`/${id}/routing/activity?zone=${zoneId}`}
              >
                Activity log
              </LinkButton>
            </>
          }
        >
          <Tabbed zone={zone} zoneId={zoneId} />
        </Page>
      )}
    </Asked>
  )
}

const LABELS = {
  rules: 'Routing Rules',
  'catch-all': 'Catch-all',
  settings: 'Settings',
} as const satisfies Record<(typeof DOMAIN_TABS)[number], string>

function Tabbed({ zone, zoneId }: { readonly zone: RoutingSettingsBody; readonly zoneId: string }) {
  const { id } = useAccount()
  const { tab = 'rules', domain } = route.useSearch()
  const navigate = route.useNavigate()
  const domains = useAsk<readonly RoutingSettingsBody[]>(routingPath(zoneId, 'subdomains'))
  const show = (search: DomainSearch) => void navigate({ search, replace: true })
  if (!zone.enabled && (domains.data?.length ?? 0) === 0) {
    return (
      <Section title="Email Routing">
        <Empty
          icon={<PathIcon size={48} />}
          title={`${zone.name} takes no mail yet`}
          description="Onboard it: you see the DNS records that it gets before anything is written."
          contents={
            <LinkButton variant="primary" href={`/${id}/routing/domains/onboard?zone=${zoneId}`}>
              Onboard Domain
            </LinkButton>
          }
        />
      </Section>
    )
  }
  return (
    <>
      <Tabs
        variant="underline"
        className="mb-6"
        value={tab}
        onValueChange={(value) => {
          const chosen = DOMAIN_TABS.find((each) => each === value)
          if (chosen) show({ tab: chosen })
        }}
        tabs={DOMAIN_TABS.map((value) => ({ value, label: LABELS[value] }))}
      />
      {!zone.enabled && (
        <p className="mb-6">
          {zone.name} itself takes no mail.{' '}
          <Link href={`/${id}/routing/domains/onboard?zone=${zoneId}`}>Onboard it</Link>
        </p>
      )}
      <Asked of={domains}>
        {(all) => {
          const of = {
            zoneId,
            zone,
            domains: all,
            domain,
            onDomain: (domain?: string) => show({ tab, ...(domain !== undefined && { domain }) }),
          }
          if (tab === 'catch-all') return <CatchAllTab {...of} />
          if (tab === 'settings') return <SettingsTab {...of} />
          return <RulesTab {...of} />
        }}
      </Asked>
    </>
  )
}
