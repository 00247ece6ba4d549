import type { QueueBody } from '#contract/operator.ts'
import { useSession } from '../api/session.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { HealthParts } from './health-parts.tsx'
import { OPERATOR } from './operator-path.ts'

/** Whether each part of the service can do its work, how much waits, and where it is reached. */
export function HealthPage() {
  const { service } = useSession()
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
      <HealthParts />
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
