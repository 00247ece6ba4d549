import { Badge } from '@cloudflare/kumo/components/badge'
import { Banner } from '@cloudflare/kumo/components/banner'
import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { ArrowsClockwiseIcon, InfoIcon } from '@phosphor-icons/react'
import { getRouteApi } from '@tanstack/react-router'
import type { DomainPreviewBody } from '#contract/onboarding-records.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ask, zonePath } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { roadOf } from '../domains/dns-roads.ts'
import { PlannedRecordList } from '../domains/planned-record-list.tsx'
import { blocks } from '../domains/record-problems.ts'
import { useRecordsPreview } from '../domains/use-records-preview.ts'
import { ZoneProof } from '../domains/zone-proof.tsx'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { useAccount } from '../shell/use-account.ts'
import { ChooseDomain } from './choose-domain.tsx'
import { NoSuchDomain } from './no-such-domain.tsx'
import { accountRoutingPath, routingPath } from './routing-paths.ts'
import { isFine } from './use-routing-records.ts'

const route = getRouteApi('/signed-in/$accountId/routing/domains/onboard')

/** A domain is chosen, its owner proves it, and nothing is written before the records were shown. */
export function OnboardPage() {
  const { id } = useAccount()
  const { zone } = route.useSearch()
  const navigate = route.useNavigate()
  const chosen = useAsk<ZoneBody>(zonePath(zone ?? ''), { enabled: zone !== undefined })
  if (chosen.error instanceof Problem && chosen.error.status === 404 && !chosen.data) return <NoSuchDomain />
  return (
    <Page
      title="Onboard Domain"
      lead="Choose a domain, see the DNS records that it gets, and have it take mail."
      actions={
        <LinkButton variant="secondary" href={`/${id}/routing/domains`}>
          All domains
        </LinkButton>
      }
    >
      {zone === undefined ? (
        <ChooseDomain onChosen={(zone) => void navigate({ search: { zone } })} />
      ) : (
        <Chosen key={zone} zoneId={zone} />
      )}
    </Page>
  )
}

function Chosen({ zoneId }: { readonly zoneId: string }) {
  const zone = useAsk<ZoneBody>(zonePath(zoneId))
  const navigate = route.useNavigate()
  return (
    <Asked of={zone}>
      {(zone) => (
        <>
          {zone.status === 'pending' && <ZoneProof zone={zone} onRemoved={() => navigate({ search: {} })} />}
          <Review zone={zone} />
        </>
      )}
    </Asked>
  )
}

function Review({ zone }: { readonly zone: ZoneBody }) {
  const account = useAccount()
  const navigate = route.useNavigate()
  const preview = useRecordsPreview(routingPath(zone.id, 'dns/preview'), zone.name)
  const enable = useAct(
    () =>
      ask<RoutingSettingsBody>(routingPath(zone.id, 'dns'), { method: 'POST', body: { name: zone.name } }),
    [routingPath(zone.id), accountRoutingPath(account.id, 'zones')],
  )
  async function finish() {
    const settings = await enable.mutateAsync(undefined)
    await navigate({
      to: '/$accountId/routing/domains/$zoneId',
      params: { accountId: account.id, zoneId: zone.id },
      // Where something is left to do, there it is said.
      search: isFine(settings) ? {} : { tab: 'settings' },
    })
  }
  const { data } = preview
  const isPending = zone.status === 'pending'
  const isBlocked = data?.errors.some(blocks) === true
  return (
    <Section
      title={`Records for ${zone.name}`}
      lead={leadOf(zone)}
      actions={
        <Button
          icon={<ArrowsClockwiseIcon aria-hidden />}
          loading={preview.isFetching}
          onClick={() => void preview.refetch()}
        >
          Check now
        </Button>
      }
    >
      {preview.error && <ProblemNote className="mb-4">{problemText(preview.error)}</ProblemNote>}
      {data?.status === 'ready' && (
        <Banner icon={<InfoIcon weight="fill" />} className="mb-4">
          {zone.name} takes mail already: Done adds what is missing.
        </Banner>
      )}
      {!data && !preview.error && <RowsSkeleton />}
      {data && <PlannedRecordList preview={data} zone={zone.name} owner={zone} />}
      {data && (
        <p className="mt-4 flex flex-wrap items-center gap-2 text-kumo-subtle">
          The SPF record needs {data.spf.lookups} of {data.spf.limit} DNS lookups.
          {data.spf.existing !== null && data.spf.existing !== data.spf.merged && (
            <Badge variant="info">Merged with the one that is there</Badge>
          )}
        </p>
      )}
      {enable.error && <ProblemNote className="mt-4">{problemText(enable.error)}</ProblemNote>}
      <div className="mt-6 flex flex-wrap items-center gap-3">
        <Button
          variant="primary"
          disabled={!data || isBlocked || isPending}
          loading={enable.isPending}
          onClick={() => void finish().catch(() => undefined)}
        >
          Done
        </Button>
        {data && <p className="text-kumo-subtle">{hintOf(zone, data.errors)}</p>}
      </div>
    </Section>
  )
}

function leadOf(zone: ZoneBody): string {
  switch (roadOf(zone)) {
    case 'full':
      return `These records are added to ${zone.name}, and locked. Nothing is written before you select Done.`
    case 'names':
      return `Those below ${zone.name} are written here; the ones at ${zone.name} itself you copy to its DNS provider.`
    case 'manual':
      return `You publish these at the DNS provider of ${zone.name}; once they are found, it takes mail.`
  }
}

function hintOf(zone: ZoneBody, errors: DomainPreviewBody['errors']): string {
  if (zone.status === 'pending') return 'Once the domain is proven to be yours, you can go on.'
  if (errors.some(blocks)) return 'What is named above has to be mended first.'
  return zone.dns === 'hosted' ? '' : 'Next you copy the records, and see here which of them are found.'
}
