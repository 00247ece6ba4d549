import { Link } from '@cloudflare/kumo/components/link'
import { countText } from './numbers.ts'
import { seriesColor } from './series-colors.ts'

export interface ShareBar {
  readonly key: string
  readonly label: string
  /** What it leads to. */
  readonly href?: string
  /** Beside its count: "98.2% delivered". */
  readonly note?: string
  readonly parts: readonly BarPart[]
}

export interface BarPart {
  /** What its colour is of. */
  readonly series: string
  readonly label: string
  readonly count: number
}

interface ShareBarsProps {
  readonly of: readonly ShareBar[]
  /** Where every bar is a whole: each has the full width. */
  readonly wholes?: boolean
}

const MOST = 12

/** Bars that lie, each cut by what it is made of; words say all that the colours do. */
export function ShareBars({ of, wholes = false }: ShareBarsProps) {
  const shown = of.slice(0, MOST)
  const longest = Math.max(1, ...shown.map(totalOf))
  return (
    <>
      <ul className="flex flex-col gap-4">
        {shown.map((bar) => (
          <Bar key={bar.key} bar={bar} width={wholes ? 1 : totalOf(bar) / longest} />
        ))}
      </ul>
      {of.length > shown.length && (
        <p className="mt-4 text-sm text-kumo-subtle">
          The first {MOST} of {countText(of.length)}; the table has all of them.
        </p>
      )}
    </>
  )
}

function Bar({ bar, width }: { readonly bar: ShareBar; readonly width: number }) {
  const { label, href, note, parts } = bar
  const present = parts.filter(({ count }) => count > 0)
  return (
    <li>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <span className="min-w-0">
          {href === undefined ? <bdi>{label}</bdi> : <Link href={href}>{label}</Link>}
        </span>
        <span className="text-sm text-kumo-subtle tabular-nums">
          {note !== undefined && `${note} · `}
          {countText(totalOf(bar))}
        </span>
      </div>
      <div aria-hidden className="my-1.5 h-2.5 rounded-full bg-kumo-recessed">
        <div
          className="flex h-full min-w-1 gap-px overflow-hidden rounded-full"
          style={{ width: `${width * 100}%` }}
        >
          {present.map(({ series, label, count }) => (
            <span key={label} style={{ flexGrow: count, backgroundColor: seriesColor(series) }} />
          ))}
        </div>
      </div>
      <Legend of={present} />
    </li>
  )
}

/** What each colour stands for, and how many there are. */
export function Legend({ of }: { readonly of: readonly BarPart[] }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-sm text-kumo-subtle">
      {of.map(({ series, label, count }) => (
        <li key={label} className="flex items-center gap-1.5">
          <span
            aria-hidden
            className="size-2.5 shrink-0 rounded-sm"
            style={{ backgroundColor: seriesColor(series) }}
          />
          <span>
            {label} <span className="tabular-nums">{countText(count)}</span>
          </span>
        </li>
      ))}
    </ul>
  )
}

export function totalOf({ parts }: { readonly parts: readonly BarPart[] }): number {
  return parts.reduce((sum, { count }) => sum + count, 0)
}
