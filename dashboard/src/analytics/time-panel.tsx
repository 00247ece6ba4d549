import { SkeletonLine } from '@cloudflare/kumo/components/loader'
import { Suspense } from 'react'
import { statusesOf, statusWords } from '../parts/mail-status.ts'
import { timeRangeText } from '../parts/time-range.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { cutOf, seriesOf } from './buckets.ts'
import { ChartPanel, graphqlAsked } from './chart-panel.tsx'
import { NothingYet } from './nothing-yet.tsx'
import { countText } from './numbers.ts'
import { overTimeQuestion, type Scope } from './questions.ts'
import { Legend } from './share-bars.tsx'
import { type Figures, rowsOf, useFigures } from './use-figures.ts'

const StatusChart = lazyPage(async () => (await import('./status-chart.tsx')).StatusChart)

interface TimePanelProps {
  readonly scope: Scope
  readonly range: string
  readonly every: number | false
  readonly length: number
  readonly onZoom: (from: number, to: number) => void
}

const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** Emails by status over time. */
export function TimePanel({ scope, range, every, length, onZoom }: TimePanelProps) {
  const question = overTimeQuestion(scope, cutOf({ from: 0, to: length }).dimension)
  const figures = useFigures(question, { range, every })
  const statuses = statusesOf(scope.mail)

  function read(answer: Figures) {
    const cut = cutOf(answer.span)
    const series = seriesOf(rowsOf(answer), {
      ...{ span: answer.span, cut, statuses: statuses.map(({ status }) => status) },
    }).map((one) => ({ ...one, label: statusWords(one.status, scope.mail).label }))
    return { cut, series, present: series.filter(({ total }) => total > 0) }
  }

  return (
    <ChartPanel
      title="Emails by status"
      lead="Draw over a part of the time to look closer, or use the buttons at the head of the page."
      of={figures}
      renderChart={(answer) => {
        const { cut, present } = read(answer)
        if (present.length === 0) return <NothingYet mail={scope.mail} />
        const parts = present.map(({ status, label, total }) => ({ series: status, label, count: total }))
        const said = parts.map(({ label, count }) => `${label}: ${countText(count)}`).join(', ')
        return (
          <>
            {/* The canvas keeps its width a moment longer than the window. */}
            <div className="overflow-hidden">
              <Suspense fallback={<SkeletonLine className="h-[280px]" />}>
                <StatusChart
                  series={present}
                  step={cut.ms}
                  description={`Emails by status over time. ${timeRangeText(range)}. ${said}. The table has the same figures.`}
                  onZoom={onZoom}
                />
              </Suspense>
            </div>
            <div className="mt-3">
              <Legend of={parts} />
            </div>
          </>
        )
      }}
      table={(answer) => {
        const { series } = read(answer)
        const times = series[0]?.points.map(([at]) => at) ?? []
        return {
          columns: ['Time', ...series.map(({ label }) => label)],
          rows: times
            .map((at, index) => [whole.format(at), ...series.map(({ points }) => points[index]?.[1] ?? 0)])
            .filter((cells) => cells.some((cell) => typeof cell === 'number' && cell > 0))
            .toReversed(),
        }
      }}
      query={graphqlAsked}
    />
  )
}
