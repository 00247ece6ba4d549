import type { ReactNode } from 'react'
import type { TimelineEvent } from '#contract/messages.ts'
import { causeText } from '../parts/cause-text.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Moment } from '../parts/moment.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { type Fact, Facts } from './facts.tsx'
import { RoutingDetails } from './routing-details.tsx'

interface EventDetailsProps {
  readonly accountId: string
  readonly event: TimelineEvent
}

/** What is known of an event besides what and when. */
export function EventDetails({ accountId, event }: EventDetailsProps) {
  const { dialogue, routing } = event
  const facts = factsOf(event)
  return (
    <>
      {facts.length > 0 && <Facts of={facts} />}
      {routing && <RoutingDetails accountId={accountId} routing={routing} />}
      {dialogue && dialogue.length > 0 && (
        <details className="mt-3">
          <summary className="cursor-pointer text-sm font-medium">SMTP dialogue</summary>
          <div className="mt-2">
            <CodeText text={dialogue.map(visibleText).join('\n')} what="the SMTP dialogue" />
            <p className="mt-1 text-sm text-kumo-subtle">
              Lines with “c:” are ours, those with “s:” the recipient’s server’s.
            </p>
          </div>
        </details>
      )}
    </>
  )
}

function factsOf(event: TimelineEvent): readonly Fact[] {
  const { smtp_reply: reply, cause, attempt, retry_at: retryAt, duration_ms: duration, size } = event
  const facts: readonly (Fact | undefined)[] = [
    reply === undefined ? undefined : ['Reply', <code key="reply">{visibleText(reply)}</code>],
    cause === undefined ? undefined : ['Cause', causeText(cause)],
    event.host === undefined ? undefined : ['Server', serverText(event)],
    tlsFact(event),
    attempt === undefined ? undefined : ['Attempt', attemptText(attempt, duration)],
    retryAt === undefined ? undefined : ['Next attempt', <Moment key="retry" at={retryAt} />],
    event.perhaps_taken
      ? ['Not certain', 'The connection broke before the last reply: the server may have taken it']
      : undefined,
    event.feedback_type === undefined ? undefined : ['Complaint', visibleText(event.feedback_type)],
    event.removed_headers === undefined
      ? undefined
      : ['Removed headers', event.removed_headers.map(visibleText).join(', ')],
    size === undefined || size === 0 ? undefined : ['Size', `${size.toLocaleString()} bytes`],
    event.worker ? ['Sent by', workerText(event.worker)] : undefined,
  ]
  return facts.filter((fact) => fact !== undefined)
}

function serverText({ host = '', address }: TimelineEvent): string {
  return address === undefined ? host : `${host} (${address})`
}

function tlsFact({ host, tls, tls_policy: policy, tls_failure: failure }: TimelineEvent): Fact | undefined {
  if (host === undefined) return undefined
  const text = [
    tls ?? 'none: not encrypted',
    ...(policy === undefined ? [] : [`policy: ${policy}`]),
    ...(failure === undefined ? [] : [visibleText(failure)]),
  ]
  return ['TLS', text.join(' · ')]
}

function attemptText(attempt: number, duration: number | undefined): string {
  return duration === undefined ? `${attempt}` : `${attempt}, took ${Math.round(duration)} ms`
}

function workerText({ script_name: name, call }: NonNullable<TimelineEvent['worker']>): ReactNode {
  return (
    <>
      the Worker <strong>{name}</strong>, by <code>{call}()</code>
    </>
  )
}
