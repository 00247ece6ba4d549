import { Link } from '@cloudflare/kumo/components/link'
import type { ReactNode } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { coveringZone } from '../domains/covering-zone.ts'
import { DomainForm } from '../domains/domain-form.tsx'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { useAccount } from '../shell/use-account.ts'
import { accountRoutingPath } from './routing-paths.ts'

interface ChooseDomainProps {
  readonly onChosen: (zoneId: string) => void
}

/** One of the account's domains that do not take mail yet, or one that it did not have so far. */
export function ChooseDomain({ onChosen }: ChooseDomainProps) {
  const { id } = useAccount()
  const zones = useEveryPage<RoutingSettingsBody>(accountRoutingPath(id, 'zones'))
  return (
    <Section title="Choose a domain">
      <Asked of={zones} skeleton={<RowsSkeleton rows={1} />}>
        {(all) => (
          <DomainForm
            accountId={id}
            description="A domain that you own, and that is to take mail."
            zones={all.filter(({ enabled }) => !enabled)}
            zonesTitle="Zones of this account that take no mail yet"
            zoneOf={(domain) => all.find(({ name }) => name === domain)?.id}
            renderNote={(domain) => noteOf(domain, all, `/${id}/routing/domains`)}
            onChosen={onChosen}
          />
        )}
      </Asked>
    </Section>
  )
}

function noteOf(domain: string, zones: readonly RoutingSettingsBody[], domains: string): ReactNode {
  const zone = coveringZone(zones, domain)
  if (!zone) return null
  if (zone.name !== domain) {
    return (
      <p className="text-kumo-subtle">
        It is below your zone {zone.name}, which may take its mail as a{' '}
        <Link href={`${domains}/${zone.id}?tab=settings`}>subdomain</Link>. Here it becomes a zone of its own.
      </p>
    )
  }
  if (!zone.enabled) return <p className="text-kumo-subtle">A zone of this account.</p>
  return (
    <p className="text-kumo-subtle">
      It <Link href={`${domains}/${zone.id}`}>takes mail already</Link>.
    </p>
  )
}
