import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { PauseIcon, PlayIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { LogLines } from './log-lines.tsx'
import { OutcomeBadge } from './outcome-badge.tsx'
import type { TailEvent } from './tail-event.ts'
import { type TailState, useTail } from './use-tail.ts'
import type { WorkerTabProps } from './worker-page.tsx'

const STATES = {
  connecting: ['secondary', 'Connecting'],
  live: ['success', 'Live'],
  paused: ['warning', 'Paused'],
  lost: ['error', 'Connecting again'],
} as const satisfies Record<TailState, readonly ['secondary' | 'success' | 'warning' | 'error', string]>

/** What the Worker logs while one looks. */
export function LogsTab({ accountId, worker }: WorkerTabProps) {
  const { state, events, problem, start, pause, clear } = useTail(accountId, worker.id)
  const [wanted, setWanted] = useState('')
  const shown = events.filter((event) => holds(event, wanted.trim().toLowerCase()))
  return (
    <Section
      title="Live logs"
      lead="Each invocation once it is over, the latest first. Nothing is kept: what happened before is not here."
      actions={
        <>
          {state === 'paused' ? (
            <Button icon={<PlayIcon />} onClick={start}>
              Resume
            </Button>
          ) : (
            <Button icon={<PauseIcon />} onClick={pause}>
              Pause
            </Button>
          )}
          <Button onClick={clear} disabled={events.length === 0}>
            Clear
          </Button>
        </>
      }
    >
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <span role="status">
          <Badge variant={STATES[state][0]}>{STATES[state][1]}</Badge>
        </span>
        <div className="w-full max-w-sm">
          <Input
            className="w-full"
            aria-label="Search the logs"
            placeholder="Search the logs"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
        </div>
      </div>
      {problem !== undefined && <ProblemNote className="mb-4">{problem}</ProblemNote>}
      {events.length === 0 && (
        <p className="text-kumo-subtle">
          Waiting for an invocation. Send it mail, or a message from the tab Test message.
        </p>
      )}
      {events.length > 0 && shown.length === 0 && (
        <p className="text-kumo-subtle">Nothing of this is in the logs so far.</p>
      )}
      <div role="log" aria-label="Invocations">
        <ol className="divide-y divide-kumo-hairline">
          {shown.map((event) => (
            <li key={event.key} className="py-3">
              <div className="mb-1 flex flex-wrap items-center gap-x-3 gap-y-1">
                <OutcomeBadge outcome={event.outcome} />
                <span className="min-w-0 font-medium break-all">{event.title}</span>
                <span className="text-sm text-kumo-subtle">
                  <Moment at={event.at} />
                </span>
              </div>
              <LogLines lines={event.lines} />
            </li>
          ))}
        </ol>
      </div>
    </Section>
  )
}

function holds({ title, lines }: TailEvent, wanted: string): boolean {
  return wanted === '' || [title, ...lines.map(({ text }) => text)].join('\n').toLowerCase().includes(wanted)
}
