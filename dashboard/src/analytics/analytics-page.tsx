import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { ArrowsClockwiseIcon } from '@phosphor-icons/react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { MailDirection } from '../parts/mail-status.ts'
import { Page } from '../parts/page.tsx'
import { RangeSelect } from '../parts/range-select.tsx'
import { RangeSteps } from '../parts/range-steps.tsx'
import { parseTimeRange, spanOf, timeRangeBetween } from '../parts/time-range.ts'
import { ZoneSelect } from '../parts/zone-select.tsx'
import { useAccount } from '../shell/use-account.ts'
import { AuthenticationPanel } from './authentication-panel.tsx'
import { CausePanel } from './cause-panel.tsx'
import { DomainPanel } from './domain-panel.tsx'
import { linkToLogOf } from './link-to-log.ts'
import { ProviderPanel } from './provider-panel.tsx'
import type { Scope } from './questions.ts'
import {
  type AnalyticsSearch,
  DEFAULT_RANGE,
  routingAnalyticsRoute,
  sendingAnalyticsRoute,
} from './routes.ts'
import { RulePanel } from './rule-panel.tsx'
import { TimePanel } from './time-panel.tsx'
import { TotalsPanel } from './totals-panel.tsx'
import { useKept } from './use-figures.ts'

export function SendingAnalyticsPage() {
  const navigate = sendingAnalyticsRoute.useNavigate()
  const search = sendingAnalyticsRoute.useSearch()
  return <Analytics mail="sending" search={search} onSearch={(search) => void navigate({ search })} />
}

export function RoutingAnalyticsPage() {
  const navigate = routingAnalyticsRoute.useNavigate()
  const search = routingAnalyticsRoute.useSearch()
  return <Analytics mail="routing" search={search} onSearch={(search) => void navigate({ search })} />
}

interface AnalyticsProps {
  readonly mail: MailDirection
  readonly search: AnalyticsSearch
  readonly onSearch: (search: AnalyticsSearch) => void
}

const LENGTHS = ['30m', '1h', '3h', '6h', '12h', '24h', '3d', '7d', '14d', '31d']
const LONGEST_MS = 31 * 86_400_000
const TITLE = { sending: 'Email Sending analytics', routing: 'Email Routing analytics' } as const
const LEAD = {
  sending: 'What became of the emails that you sent.',
  routing: 'What became of the emails that came in.',
} as const

function Analytics({ mail, search, onSearch }: AnalyticsProps) {
  const { id: accountId } = useAccount()
  const client = useQueryClient()
  const { zone, range = DEFAULT_RANGE } = search
  const scope: Scope = { mail, accountId, zoneId: zone }
  const kept = useKept(scope)
  const [now] = useState(() => Date.now())
  const parsed = parseTimeRange(range)
  const { from, to } = parsed ? spanOf(parsed, now) : { from: now, to: now }
  const every = refreshEvery(parsed?.kind === 'last' ? parsed.ms : Number.POSITIVE_INFINITY)
  const panel = { scope, range, every }
  const linkToLog = linkToLogOf(scope, range)
  const ranges = {
    ...{ value: range, lengths: LENGTHS, longestMs: LONGEST_MS },
    onChange: (range: string) => onSearch(searchOf({ zone, range })),
  }

  return (
    <Page
      title={TITLE[mail]}
      lead={LEAD[mail]}
      actions={
        <>
          <ZoneSelect
            accountId={accountId}
            value={zone}
            onChange={(zone) => onSearch({ ...searchOf({ range }), ...(zone && { zone }) })}
          />
          <RangeSteps {...ranges} keptMs={kept ?? LONGEST_MS}>
            <RangeSelect {...ranges} />
          </RangeSteps>
          {every === false ? (
            <Button
              icon={<ArrowsClockwiseIcon />}
              onClick={() => {
                void client.invalidateQueries({ queryKey: ['graphql', 'figures'] })
                void client.invalidateQueries({ queryKey: ['deliverability'] })
              }}
            >
              Refresh
            </Button>
          ) : (
            <Badge variant="success" appearance="dot" className="self-center">
              Live
            </Badge>
          )}
        </>
      }
    >
      <TotalsPanel {...panel} length={to - from} age={now - from} />
      <TimePanel
        {...panel}
        length={to - from}
        onZoom={(from, to) => onSearch(searchOf({ zone, range: zoomed(from, to) }))}
      />
      <div className="grid items-start gap-x-6 *:min-w-0 xl:grid-cols-2">
        {(mail === 'sending' || zone === undefined) && <DomainPanel {...panel} linkToLog={linkToLog} />}
        {mail === 'sending' && <ProviderPanel scope={scope} length={to - from} />}
        {mail === 'sending' && <CausePanel {...panel} linkToLog={linkToLog} />}
        {mail === 'routing' && <RulePanel {...panel} linkToLog={linkToLog} />}
        <AuthenticationPanel {...panel} />
      </div>
    </Page>
  )
}

function searchOf({
  zone,
  range,
}: {
  readonly zone?: string | undefined
  readonly range: string
}): AnalyticsSearch {
  return { ...(zone !== undefined && { zone }), ...(range !== DEFAULT_RANGE && { range }) }
}

/** Short ranges move on while they are looked at. */
function refreshEvery(ms: number): number | false {
  if (ms <= 3_600_000) return 5000
  return ms <= 6 * 3_600_000 ? 30_000 : false
}

const SHORTEST_MS = 60_000

function zoomed(from: number, to: number): string {
  return timeRangeBetween(from, Math.max(to, from + SHORTEST_MS))
}
