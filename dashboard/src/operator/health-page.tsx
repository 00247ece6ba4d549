import { Badge } from '@cloudflare/kumo/components/badge'
import { useQuery } from '@tanstack/react-query'
import type { QueueBody } from '#contract/operator.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { useSession } from '../session/session.ts'
import { OPERATOR } from './operator-path.ts'

interface Readiness {
  readonly ready: boolean
  readonly parts: readonly { readonly part: string; readonly ready: boolean; readonly detail?: string }[]
}

/** Whether each part of the service can do its work; the same that a load balancer asks. */
export function HealthPage() {
  const { service } = useSession()
  const readiness = useQuery({
    queryKey: ['readyz'],
    // Not ready is 503, and an answer all the same.
    queryFn: async ({ signal }) => (await (await fetch('/readyz', { signal })).json()) as Readiness,
    refetchInterval: 5000,
  })
  const queue = useAsk<QueueBody>(`${OPERATOR}/queue`, { every: 5000 })
  const places = [
    ['MX', `${service.mx.host}:${service.mx.port}`],
    ['SMTP submission', `${service.submission.host}:${service.submission.port}`],
    ...(service.dns ? [['DNS', `${service.dns.host}:${service.dns.port}`] as const] : []),
    ...(service.workers === undefined ? [] : [['Workers', service.workers] as const]),
    ['API and dashboard', service.public_url],
  ] as const
  return (
    <Page
      title="Health"
      lead="Figures for graphs and alarms are at /metrics, for programs at /healthz and /readyz."
    >
      <Section title="Parts">
        <Asked of={readiness}>
          {({ parts }) => (
            <ul className="divide-y divide-kumo-hairline">
              {parts.map(({ part, ready, detail }) => (
                <li key={part} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
                  <span className="w-40 font-medium">{part}</span>
                  <Badge variant={ready ? 'success' : 'error'}>{ready ? 'Ready' : 'Not ready'}</Badge>
                  {detail !== undefined && <span className="text-kumo-subtle">{detail}</span>}
                </li>
              ))}
            </ul>
          )}
        </Asked>
      </Section>
      <Section title="Queue">
        <Asked of={queue}>
          {({ totals, lanes, paused }) => (
            <p>
              {totals.waiting} waiting, {totals.claimed} being delivered, {totals.held} held; {lanes.failing}{' '}
              of {lanes.total} destinations fail, {paused.length} are paused.
            </p>
          )}
        </Asked>
      </Section>
      <Section title="Where it listens">
        <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1">
          {places.map(([name, place]) => (
            <div key={name} className="contents">
              <dt className="text-kumo-subtle">{name}</dt>
              <dd>
                <code className="font-mono text-sm">{place}</code>
              </dd>
            </div>
          ))}
        </dl>
      </Section>
    </Page>
  )
}
