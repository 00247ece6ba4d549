import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import type { QueueBody } from '#contract/operator.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { OPERATOR } from './operator-path.ts'
import { PauseForm } from './pause-form.tsx'
import { Pauses } from './pauses.tsx'
import { QueuedDeliveries } from './queued-deliveries.tsx'

/** What waits in the whole installation, and what an operator may do about it. */
export function QueuePage() {
  const queue = useAsk<QueueBody>(`${OPERATOR}/queue`, { every: 2000 })
  const [isPausing, setPausing] = useState(false)
  return (
    <Page
      title="Queue"
      lead="Mail of every account that is accepted and not yet settled."
      actions={<Button onClick={() => setPausing(true)}>Pause a destination</Button>}
    >
      <Asked of={queue}>
        {(queue) => (
          <>
            <Figures queue={queue} />
            <Pauses pauses={queue.paused} />
            {queue.failing.length > 0 && <Failing failing={queue.failing} />}
          </>
        )}
      </Asked>
      <QueuedDeliveries />
      <PauseForm open={isPausing} onOpenChange={setPausing} />
    </Page>
  )
}

function Figures({ queue: { totals, lanes, oldest } }: { readonly queue: QueueBody }) {
  const figures = [
    ['Waiting', totals.waiting],
    ['Being delivered', totals.claimed],
    ['Held', totals.held],
    ['Destinations', lanes.total],
    ['Failing', lanes.failing],
  ] as const
  return (
    <div className="mb-6">
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5">
        {figures.map(([name, value]) => (
          <div key={name} className="rounded-xl border border-kumo-hairline bg-kumo-base p-4">
            <dt className="text-kumo-subtle">{name}</dt>
            <dd className="text-2xl font-semibold tabular-nums">{value.toLocaleString()}</dd>
          </div>
        ))}
      </dl>
      {oldest && (
        <p className="mt-3 text-kumo-subtle">
          The oldest, for {oldest.domain}, was accepted <Moment at={oldest.created_at} ago /> and expires at{' '}
          <Moment at={oldest.expires_at} />.
        </p>
      )}
    </div>
  )
}

function Failing({ failing }: Pick<QueueBody, 'failing'>) {
  return (
    <Section title="Failing destinations" lead="None of their hosts answered, so often in a row.">
      <ul className="divide-y divide-kumo-hairline">
        {failing.map(({ account_id, domain, failures, next_attempt_at }) => (
          <li key={`${account_id} ${domain}`} className="flex flex-wrap gap-x-4 gap-y-1 py-2">
            <span className="font-medium">{domain}</span>
            <span className="text-kumo-subtle">
              {failures} {failures === 1 ? 'time' : 'times'}; tried again at <Moment at={next_attempt_at} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}
