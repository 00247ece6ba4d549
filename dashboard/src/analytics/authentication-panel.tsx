import { ChartPanel, graphqlAsked } from './chart-panel.tsx'
import { NothingYet } from './nothing-yet.tsx'
import { shareText } from './numbers.ts'
import { authenticationQuestion, MECHANISMS, type Scope } from './questions.ts'
import { ShareBars, totalOf } from './share-bars.tsx'
import { type Figures, useFigures } from './use-figures.ts'

interface AuthenticationPanelProps {
  readonly scope: Scope
  readonly range: string
  readonly every: number | false
}

const ORDER = ['pass', 'softfail', 'neutral', 'none', 'fail', 'temperror', 'permerror', '']

/** What SPF, DKIM, DMARC and ARC said. */
export function AuthenticationPanel({ scope, range, every }: AuthenticationPanelProps) {
  const figures = useFigures(authenticationQuestion(scope), { range, every })
  return (
    <ChartPanel
      title="Authentication results"
      lead={
        scope.mail === 'sending'
          ? 'Of sent mail, as the last look at the domain’s DNS found it.'
          : 'What the sender of each email had proven when it came in.'
      }
      of={figures}
      renderChart={(answer) => {
        const bars = read(answer)
        if (bars.every((bar) => totalOf(bar) === 0)) return <NothingYet mail={scope.mail} />
        return <ShareBars wholes of={bars} />
      }}
      table={(answer) => ({
        columns: ['Mechanism and result', 'Emails', 'Share'],
        rows: read(answer).flatMap((bar) =>
          bar.parts.map(({ label, count }) => [
            `${bar.label} ${label}`,
            count,
            shareText(count, totalOf(bar)),
          ]),
        ),
      })}
      query={graphqlAsked}
    />
  )
}

function read({ groups }: Figures) {
  return MECHANISMS.map((mechanism) => {
    const parts = (groups[mechanism] ?? [])
      .map(({ count, dimensions }) => ({ result: String(dimensions[mechanism] ?? ''), count }))
      .sort((one, other) => ORDER.indexOf(one.result) - ORDER.indexOf(other.result))
      .map(({ result, count }) => ({ series: result || 'none', label: result || 'not checked', count }))
    const passed = parts.find(({ label }) => label === 'pass')?.count ?? 0
    const label = mechanism.toUpperCase()
    return { key: mechanism, label, parts, note: `${shareText(passed, totalOf({ parts }))} pass` }
  })
}
