import type { ReactNode } from 'react'

interface FigureProps {
  readonly label: ReactNode
  readonly value: ReactNode
  /** What it is measured by, or of which time it is. */
  readonly note?: ReactNode
}

/** One number that matters, in a `<dl>`. */
export function Figure({ label, value, note }: FigureProps) {
  return (
    <div className="min-w-0">
      <dt className="text-kumo-subtle">{label}</dt>
      <dd>
        <span className="block text-2xl font-semibold tabular-nums">{value}</span>
        {note !== undefined && <span className="block text-sm text-kumo-subtle">{note}</span>}
      </dd>
    </div>
  )
}
