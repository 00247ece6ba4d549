import { statusesOf } from '../parts/mail-status.ts'
import { ChartPanel, graphqlAsked } from './chart-panel.tsx'
import { changeText, countText, shareText } from './numbers.ts'
import { type Scope, totalsQuestion } from './questions.ts'
import { seriesColor } from './series-colors.ts'
import { type Figures, useFigures, useKept } from './use-figures.ts'

interface PanelProps {
  readonly scope: Scope
  readonly range: string
  /** In ms; how often the range is asked about anew. */
  readonly every: number | false
  /** Of the range, in ms, and how long ago it began. */
  readonly length: number
  readonly age: number
}

interface Total {
  readonly key: string
  readonly label: string
  readonly about: string
  readonly now: number
  /** Undefined where the period before is no longer kept. */
  readonly before: number | undefined
}

/** How many there were, of what became of them, and how that compares with the period before. */
export function TotalsPanel({ scope, range, every, length, age }: PanelProps) {
  const kept = useKept(scope)
  const compares = kept !== undefined && age + length <= kept
  const figures = useFigures(totalsQuestion(scope, compares), { range, every, enabled: kept !== undefined })
  return (
    <ChartPanel
      title="Totals"
      lead={
        kept !== undefined && !compares
          ? 'The period before is no longer kept, so there is nothing to compare with.'
          : 'Each recipient of an email counts once, by what is last known of it.'
      }
      of={figures}
      renderChart={(answer) => <Tiles of={totalsOf(answer, scope)} />}
      table={(answer) => ({
        columns: ['Status', 'Emails', 'Share', 'Period before', 'Change'],
        rows: totalsOf(answer, scope).map(({ label, now, before }, _, [all]) => [
          ...[label, now, shareText(now, all?.now ?? 0)],
          before ?? '–',
          (before === undefined ? undefined : changeText(now, before)) ?? '–',
        ]),
      })}
      query={graphqlAsked}
    />
  )
}

function totalsOf({ groups }: Figures, { mail }: Scope): readonly Total[] {
  const { current = [], previous } = groups
  const count = (rows: Figures['groups'][string], status?: string) =>
    rows
      .filter(({ dimensions }) => status === undefined || dimensions['status'] === status)
      .reduce((sum, row) => sum + row.count, 0)
  const total = (key: string, words: { label: string; about: string }, status?: string): Total => ({
    ...{ key, ...words, now: count(current, status) },
    before: previous && count(previous, status),
  })
  return [
    total('all', { label: 'Emails', about: 'All recipients of all emails' }),
    ...statusesOf(mail).map(({ status, label, about }) => total(status, { label, about }, status)),
  ]
}

function Tiles({ of }: { readonly of: readonly Total[] }) {
  const all = of[0]?.now ?? 0
  return (
    <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 xl:grid-cols-6">
      {of.map(({ key, label, about, now, before }) => (
        <div
          key={key}
          title={about}
          // Of seven the first stands over the others: the last would stand alone.
          className={`rounded-lg border border-kumo-hairline p-3 ${of.length === 7 ? 'first:col-span-full' : ''}`}
        >
          <dt className="flex items-center gap-1.5 text-sm text-kumo-subtle">
            {key !== 'all' && (
              <span
                aria-hidden
                className="size-2.5 shrink-0 rounded-sm"
                style={{ backgroundColor: seriesColor(key) }}
              />
            )}
            {label}
          </dt>
          <dd className="mt-1 text-2xl font-semibold tabular-nums">{countText(now)}</dd>
          <dd className="text-sm text-kumo-subtle tabular-nums">
            {key !== 'all' && `${shareText(now, all)} of all`}
            {before !== undefined && <Change now={now} before={before} isAll={key === 'all'} />}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Nothing where there was nothing: the first tile says so for all. */
function Change({ now, before, isAll }: { now: number; before: number; isAll: boolean }) {
  const change = changeText(now, before)
  if (change === undefined)
    return isAll && now > 0 ? <span className="block">none in the period before</span> : null
  return (
    <span className="block">
      {change}
      <span className="sr-only"> compared with</span> from {countText(before)}
    </span>
  )
}
