import { ChartBarIcon } from '@phosphor-icons/react'
import { useQuery } from '@tanstack/react-query'
import type { DomainDeliverability } from '#contract/deliverability.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useZones } from '../parts/use-zones.ts'
import { ChartPanel } from './chart-panel.tsx'
import { rateText } from './numbers.ts'
import type { Scope } from './questions.ts'
import { ShareBars } from './share-bars.tsx'

interface ProviderPanelProps {
  readonly scope: Scope
  /** Of the range, in ms. */
  readonly length: number
}

interface Provider {
  readonly provider: string
  readonly settled: number
  readonly delivered: number
  readonly hardBounces: number
  readonly complaints: number
}

const DAY_MS = 86_400_000
const MOST_ZONES = 20

/** How the mail fares with whoever keeps the recipients' mailboxes. */
export function ProviderPanel({ scope: { accountId, zoneId }, length }: ProviderPanelProps) {
  const days = Math.min(31, Math.max(1, Math.ceil(length / DAY_MS)))
  const { data: zones } = useZones(accountId)
  const ids = zoneId === undefined ? zones?.map(({ id }) => id).slice(0, MOST_ZONES) : [zoneId]
  const paths = (ids ?? []).map((id) => withQuery(zonePath(id, 'email/sending/deliverability'), { days }))
  const providers = useQuery({
    queryKey: ['deliverability', ...paths],
    queryFn: async ({ signal }) =>
      sumOf((await Promise.all(paths.map((path) => ask<DomainDeliverability[]>(path, { signal })))).flat()),
    enabled: ids !== undefined,
    staleTime: 30_000,
  })
  const left = zoneId === undefined ? Math.max(0, (zones?.length ?? 0) - MOST_ZONES) : 0
  const window = days === 1 ? 'the last day' : `the last ${days} days`
  const beyond = left > 0 ? ` Of the first ${MOST_ZONES} domains; choose a domain to see the others.` : ''
  return (
    <ChartPanel
      title="By recipient provider"
      lead={`Recipients whose deliveries ended within ${window}.${beyond}`}
      of={providers}
      renderChart={(answer) => (answer.length === 0 ? <NoProviders /> : <ShareBars of={answer.map(barOf)} />)}
      table={(answer) => ({
        columns: ['Provider', 'Recipients', 'Delivered', 'Hard bounces', 'Complaints', 'Delivery rate'],
        rows: answer.map(({ provider, settled, delivered, hardBounces, complaints }) => [
          ...[provider, settled, delivered, hardBounces, complaints, rateText(delivered / settled)],
        ]),
      })}
      query={() =>
        paths.map((path, index) => ({ what: requestName(index, paths.length), text: `GET ${path}` }))
      }
    />
  )
}

function requestName(index: number, of: number): string {
  return of === 1 ? 'Request' : `Request ${index + 1} of ${of}`
}

function barOf({ provider, settled, delivered, hardBounces, complaints }: Provider) {
  const complained = complaints === 1 ? ', 1 complaint' : `, ${complaints} complaints`
  return {
    ...{ key: provider, label: provider === 'other' ? 'Others' : provider },
    note: `${rateText(delivered / settled)} delivered${complaints > 0 ? complained : ''}`,
    parts: [
      { series: 'delivered', label: 'Delivered', count: delivered },
      { series: 'hardBounces', label: 'Hard bounces', count: hardBounces },
      { series: 'other', label: 'Other failures', count: Math.max(0, settled - delivered - hardBounces) },
    ],
  }
}

/** The domains' figures together, those with the most recipients first. */
function sumOf(domains: readonly DomainDeliverability[]): readonly Provider[] {
  const sums = new Map<string, Provider>()
  for (const { providers } of domains) {
    for (const { provider, settled, delivered, hard_bounces, complaints } of providers) {
      const before = sums.get(provider)
      sums.set(provider, {
        provider,
        settled: settled + (before?.settled ?? 0),
        delivered: delivered + (before?.delivered ?? 0),
        hardBounces: hard_bounces + (before?.hardBounces ?? 0),
        complaints: complaints + (before?.complaints ?? 0),
      })
    }
  }
  return [...sums.values()]
    .filter(({ settled }) => settled > 0)
    .sort((one, other) => other.settled - one.settled)
}

function NoProviders() {
  return (
    <SectionEmpty
      icon={<ChartBarIcon size={32} className="text-kumo-inactive" />}
      title="No deliveries ended yet"
      description="Once mail was delivered or failed, it is shown here by who keeps the mailbox."
    />
  )
}
