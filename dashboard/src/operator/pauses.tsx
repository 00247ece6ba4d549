import { Button } from '@cloudflare/kumo/components/button'
import type { PauseBody } from '#contract/operator.ts'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { OPERATOR } from './operator-path.ts'

/** Destinations that rest. */
export function Pauses({ pauses }: { readonly pauses: readonly PauseBody[] }) {
  const end = useAct(
    ({ kind, name }: PauseBody) =>
      ask(`${OPERATOR}/pauses/${kind}/${encodeURIComponent(name)}`, { method: 'DELETE' }),
    [OPERATOR],
  )
  if (pauses.length === 0) return null
  return (
    <Section title="Paused">
      {end.error && <ProblemNote>{problemText(end.error)}</ProblemNote>}
      <ul className="divide-y divide-kumo-hairline">
        {pauses.map((pause) => (
          <li
            key={`${pause.kind} ${pause.name}`}
            className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2"
          >
            <span className="font-medium">{pause.name}</span>
            <span className="text-kumo-subtle">
              {pause.until === null ? 'until it is ended' : <Moment at={pause.until} />}
              {pause.reason !== '' && `: ${pause.reason}`}
            </span>
            <Button
              size="sm"
              className="ml-auto"
              aria-label={`End the pause of ${pause.name}`}
              onClick={() => end.mutate(pause)}
            >
              End the pause
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  )
}
