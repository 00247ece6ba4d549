import type { TailLine } from './tail-event.ts'

const COLORS: Readonly<Record<string, string>> = {
  error: 'text-kumo-danger',
  exception: 'text-kumo-danger',
  warn: 'text-kumo-warning',
  debug: 'text-kumo-subtle',
}

/** What a Worker logged, in its own words. */
export function LogLines({ lines }: { readonly lines: readonly TailLine[] }) {
  if (lines.length === 0) return <p className="text-sm text-kumo-subtle">It logged nothing.</p>
  return (
    <ol className="font-mono text-sm">
      {lines.map(({ level, text }, index) => (
        // Lines have no id, and never change their place.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={index} className="flex gap-3 py-0.5">
          <span className="w-20 shrink-0 text-kumo-subtle">{level}</span>
          <span className={`min-w-0 break-words whitespace-pre-wrap ${COLORS[level] ?? ''}`}>{text}</span>
        </li>
      ))}
    </ol>
  )
}
