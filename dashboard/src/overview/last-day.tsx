import { LinkButton } from '@cloudflare/kumo/components/button'
import { Link } from '@cloudflare/kumo/components/link'
import { linkToLogOf } from '../analytics/link-to-log.ts'
import { type Scope, totalsQuestion } from '../analytics/questions.ts'
import { rowsOf, useFigures } from '../analytics/use-figures.ts'
import { Asked } from '../parts/asked.tsx'
import { Figure } from '../parts/figure.tsx'
import { statusesOf } from '../parts/mail-status.ts'
import { Section } from '../parts/page.tsx'

const RANGE = '24h'
const LOOK_AGAIN_MS = 10_000

/** Recipients of the last 24 hours, by what became of them: the totals of Analytics. */
export function LastDay({ accountId }: { readonly accountId: string }) {
  const scope: Scope = { mail: 'sending', accountId, zoneId: undefined }
  const totals = useFigures(totalsQuestion(scope, false), { range: RANGE, every: LOOK_AGAIN_MS })
  return (
    <Section
      title="Last 24 hours"
      lead="Each recipient of an email counts once, by what is last known of it."
      actions={
        <LinkButton variant="secondary" href={`/${accountId}/sending/analytics`}>
          Analytics
        </LinkButton>
      }
    >
      <Asked of={totals} skeleton={<Figures scope={scope} of={() => '–'} />}>
        {(answer) => {
          const counts = new Map(rowsOf(answer).map((row) => [row.dimensions['status'], row.count]))
          return <Figures scope={scope} of={(status) => (counts.get(status) ?? 0).toLocaleString()} />
        }}
      </Asked>
    </Section>
  )
}

interface FiguresProps {
  readonly scope: Scope
  readonly of: (status: string) => string
}

/** Each leads to what it counts. */
function Figures({ scope, of }: FiguresProps) {
  const linkToLog = linkToLogOf(scope, RANGE)
  return (
    <dl className="grid grid-cols-2 gap-4 sm:grid-cols-3 lg:grid-cols-5">
      {statusesOf(scope.mail).map(({ status, label }) => (
        <Figure
          key={status}
          label={
            <Link variant="current" href={linkToLog({ status, latest: 'true' })}>
              {label}
            </Link>
          }
          value={of(status)}
        />
      ))}
    </dl>
  )
}
