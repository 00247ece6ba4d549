import { LinkButton } from '@cloudflare/kumo/components/button'
import { Link } from '@cloudflare/kumo/components/link'
import { useEffect, useState } from 'react'
import { useGraphql } from '../api/graphql.ts'
import { Asked } from '../parts/asked.tsx'
import { Figure } from '../parts/figure.tsx'
import { MAIL_STATUSES } from '../parts/mail-status.ts'
import { Section } from '../parts/page.tsx'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const LOOK_AGAIN_MS = 10_000

const QUERY = `query LastDay($account: string!, $start: Time!) {
  viewer {
    accounts(filter: { accountTag: $account }) {
      emailSendingAdaptiveGroups(filter: { datetime_geq: $start }, limit: 1000) {
        count
        dimensions {
          status
        }
      }
    }
  }
}`

interface Counts {
  readonly viewer: {
    readonly accounts: readonly {
      readonly emailSendingAdaptiveGroups: readonly {
        readonly count: number
        readonly dimensions: { readonly status: string }
      }[]
    }[]
  }
}

const SHOWN = ['sent', 'delivered', 'deliveryFailed', 'rejected', 'failed'] as const

/** Recipients of the last 24 hours, by what became of them. */
export function LastDay({ accountId }: { readonly accountId: string }) {
  const start = useDayAgo()
  const counts = useGraphql<Counts>(QUERY, { account: accountId, start }, { every: LOOK_AGAIN_MS })
  // Each minute is a question of its own: the answer before stays until the next is there.
  const [shown, setShown] = useState<Counts>()
  if (counts.data && counts.data !== shown) setShown(counts.data)
  return (
    <Section
      title="Last 24 hours"
      actions={
        <LinkButton variant="secondary" href={`/${accountId}/sending/analytics`}>
          Analytics
        </LinkButton>
      }
    >
      {shown ? (
        <Figures accountId={accountId} of={(status) => countOf(shown, status)} />
      ) : (
        <Asked of={counts} skeleton={<Figures accountId={accountId} of={() => '–'} />}>
          {(counts) => <Figures accountId={accountId} of={(status) => countOf(counts, status)} />}
        </Asked>
      )}
    </Section>
  )
}

function countOf({ viewer }: Counts, status: string): string {
  const groups = viewer.accounts[0]?.emailSendingAdaptiveGroups ?? []
  return (groups.find(({ dimensions }) => dimensions.status === status)?.count ?? 0).toLocaleString()
}

interface FiguresProps {
  readonly accountId: string
  readonly of: (status: string) => string
}

function Figures({ accountId, of }: FiguresProps) {
  return (
    <dl className="grid grid-cols-2 gap-4 sm:grid-cols-3 lg:grid-cols-5">
      {SHOWN.map((status) => (
        <Figure
          key={status}
          label={
            <Link variant="current" href={`/${accountId}/sending/activity?status=${status}`}>
              {MAIL_STATUSES.sending[status].label}
            </Link>
          }
          value={of(status)}
        />
      ))}
    </dl>
  )
}

/** RFC 3339, to the minute: the same question for as long. */
function useDayAgo(): string {
  const [start, setStart] = useState(dayAgo)
  useEffect(() => {
    const timer = setInterval(() => setStart(dayAgo()), MINUTE_MS)
    return () => clearInterval(timer)
  }, [])
  return start
}

function dayAgo(): string {
  const at = Date.now() - DAY_MS
  return new Date(at - (at % MINUTE_MS)).toISOString()
}
