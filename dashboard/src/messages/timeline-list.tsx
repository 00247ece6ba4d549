import {
  CheckCircleIcon,
  CircleIcon,
  ClockCountdownIcon,
  type Icon,
  XCircleIcon,
} from '@phosphor-icons/react'
import type { TimelineEvent } from '#contract/messages.ts'
import { Moment } from '../parts/moment.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { EventDetails } from './event-details.tsx'
import { type EventTone, eventTitle, eventTone } from './event-title.ts'

interface TimelineListProps {
  readonly accountId: string
  readonly events: readonly TimelineEvent[]
}

const SIGNS: Readonly<Record<EventTone, { readonly icon: Icon; readonly color: string }>> = {
  good: { icon: CheckCircleIcon, color: 'text-kumo-success' },
  bad: { icon: XCircleIcon, color: 'text-kumo-danger' },
  care: { icon: ClockCountdownIcon, color: 'text-kumo-warning' },
  plain: { icon: CircleIcon, color: 'text-kumo-subtle' },
}

/** From accept to outcome, one event below the other. */
export function TimelineList({ accountId, events }: TimelineListProps) {
  const began = events[0]?.at
  return (
    <ol className="flex flex-col">
      {events.map((event, index) => (
        <li key={event.id} className="flex gap-4">
          <Sign event={event} isLast={index === events.length - 1} />
          <div className="min-w-0 flex-1 pb-8">
            <div className="flex flex-wrap items-baseline justify-between gap-x-4">
              <h3 className="font-medium">{eventTitle(event)}</h3>
              <span className="text-sm text-kumo-subtle">
                <Moment at={event.at} />
                {began !== undefined && index > 0 && ` · ${sinceText(began, event.at)}`}
              </span>
            </div>
            {event.recipient !== undefined && (
              <p className="text-kumo-subtle">
                <bdi>{visibleText(event.recipient)}</bdi>
              </p>
            )}
            <EventDetails accountId={accountId} event={event} />
          </div>
        </li>
      ))}
    </ol>
  )
}

function Sign({ event, isLast }: { readonly event: TimelineEvent; readonly isLast: boolean }) {
  const { icon: Icon, color } = SIGNS[eventTone(event)]
  return (
    <div aria-hidden className="flex flex-col items-center">
      <Icon size={24} weight="fill" className={`shrink-0 ${color}`} />
      {!isLast && <span className="w-px flex-1 bg-kumo-hairline" />}
    </div>
  )
}

/** "+1.2 s". */
function sinceText(began: string, at: string): string {
  const ms = Math.max(0, Date.parse(at) - Date.parse(began))
  if (ms < 1000) return `+${ms} ms`
  if (ms < 120_000) return `+${(ms / 1000).toFixed(1)} s`
  if (ms < 7_200_000) return `+${Math.round(ms / 60_000)} min`
  return `+${Math.round(ms / 3_600_000)} h`
}
