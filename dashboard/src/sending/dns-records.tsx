import { Button } from '@cloudflare/kumo/components/button'
import { ArrowsClockwiseIcon, WrenchIcon } from '@phosphor-icons/react'
import type { UseQueryResult } from '@tanstack/react-query'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { CheckedRecordList } from '../domains/checked-record-list.tsx'
import { ZoneFile } from '../domains/zone-file.tsx'
import { Asked } from '../parts/asked.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import type { OfDomain } from './domain-page.tsx'
import { DomainStateBadge, explainState, stateOf } from './domain-state.tsx'
import { sendingDomainPath, useDomainStatus } from './use-domain-status.ts'

/** The domain's records as DNS has them now, looked at again until all are there. */
export function DnsRecords({ zone, domain }: OfDomain) {
  const path = sendingDomainPath(zone.id, domain.tag, 'dns')
  const status = useDomainStatus(zone.id, domain.tag)
  const repair = useAct(() => ask(path, { method: 'POST', body: {} }), [path])
  return (
    <Section
      title="DNS records"
      actions={
        <>
          <Button
            icon={<ArrowsClockwiseIcon aria-hidden />}
            loading={status.isFetching}
            onClick={() => void status.refetch()}
          >
            Check now
          </Button>
          {zone.dns === 'hosted' && (
            <Button
              icon={<WrenchIcon aria-hidden />}
              loading={repair.isPending}
              onClick={() => repair.mutate(undefined)}
            >
              Repair
            </Button>
          )}
        </>
      }
    >
      {repair.error && <ProblemNote className="mb-4">{problemText(repair.error)}</ProblemNote>}
      <Asked of={status}>
        {(answer) => (
          <>
            <Summary status={status} answer={answer} />
            <CheckedRecordList
              status={answer}
              zone={zone}
              zoneName={zone.name}
              isSound={answer.status === 'ready'}
            />
            {zone.dns === 'manual' && <ZoneFile records={answer.records} />}
          </>
        )}
      </Asked>
    </Section>
  )
}

interface SummaryProps {
  readonly status: UseQueryResult<DomainStatusBody>
  readonly answer: DomainStatusBody
}

function Summary({ status: { dataUpdatedAt }, answer }: SummaryProps) {
  const state = stateOf(answer)
  const found = answer.records.filter((record) => record.state === 'ready').length
  return (
    <p role="status" className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1">
      <DomainStateBadge state={state} />
      <span>
        {found} of {answer.records.length} records found. {explainState(state)}
      </span>
      <span className="text-kumo-subtle">
        Checked <Moment at={dataUpdatedAt} ago />
        {state === 'verified' ? '.' : ', and again every few seconds.'}
      </span>
    </p>
  )
}
