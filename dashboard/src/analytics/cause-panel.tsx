import { CheckCircleIcon } from '@phosphor-icons/react'
import { causeText } from '../parts/cause-text.ts'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { byStatus } from './breakdown.ts'
import { ChartPanel, graphqlAsked } from './chart-panel.tsx'
import type { LinkToLog } from './link-to-log.ts'
import { shareText } from './numbers.ts'
import { byCauseQuestion, type Scope } from './questions.ts'
import { ShareBars } from './share-bars.tsx'
import { type Figures, rowsOf, useFigures } from './use-figures.ts'

interface CausePanelProps {
  readonly scope: Scope
  readonly range: string
  readonly every: number | false
  readonly linkToLog: LinkToLog
}

/** Why emails were not delivered. */
export function CausePanel({ scope, range, every, linkToLog }: CausePanelProps) {
  const figures = useFigures(byCauseQuestion(scope), { range, every })
  const read = (answer: Figures) =>
    byStatus(rowsOf(answer), ({ dimensions }) => String(dimensions['errorCause']), scope.mail)
  return (
    <ChartPanel
      title="Delivery failure analysis"
      lead="By cause. The log has what each recipient’s server said."
      of={figures}
      renderChart={(answer) => {
        const rows = read(answer)
        if (rows.length === 0) return <NoFailures />
        const all = rows.reduce((sum, { total }) => sum + total, 0)
        const bars = rows.map(({ key, parts, total }) => ({
          ...{ key, parts, label: nameOf(key), note: `${shareText(total, all)} of failures` },
          ...(key !== '' && { href: linkToLog({ cause: key }) }),
        }))
        return <ShareBars of={bars} />
      }}
      table={(answer) => ({
        columns: ['Cause', 'Emails', 'Delivery failed', 'Rejected', 'Failed'],
        rows: read(answer).map(({ key, total, parts }) => {
          const count = (status: string) => parts.find(({ series }) => series === status)?.count ?? 0
          return [nameOf(key), total, count('deliveryFailed'), count('rejected'), count('failed')]
        }),
      })}
      query={graphqlAsked}
    />
  )
}

function nameOf(cause: string): string {
  return cause === '' ? 'Not known' : causeText(cause)
}

function NoFailures() {
  return (
    <SectionEmpty
      icon={<CheckCircleIcon size={32} className="text-kumo-success" />}
      title="Nothing failed"
      description="No email failed in this time range."
    />
  )
}
