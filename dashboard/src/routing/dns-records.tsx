import { Button } from '@cloudflare/kumo/components/button'
import { ArrowsClockwiseIcon, LockIcon, LockOpenIcon, WrenchIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { ask, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { CheckedRecordList } from '../domains/checked-record-list.tsx'
import { isPublishedHere } from '../domains/dns-roads.ts'
import type { CheckedRecord } from '../domains/record-state-badge.tsx'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { ZoneFile } from '../domains/zone-file.tsx'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useAccount } from '../shell/use-account.ts'
import { accountRoutingPath, routingPath } from './routing-paths.ts'
import { isSound, useRoutingRecords } from './use-routing-records.ts'

interface DnsRecordsProps {
  readonly zoneId: string
  readonly zone: RoutingSettingsBody
  readonly domain: string
}

/** The routing records of a domain, as a look at DNS finds them. */
export function DnsRecords({ zoneId, zone, domain }: DnsRecordsProps) {
  const account = useAccount()
  const { data: detail } = useAsk<ZoneDetail>(zonePath(zoneId))
  const status = useRoutingRecords(zoneId, domain)
  const [isUnlocking, setUnlocking] = useState(false)
  const stale = [routingPath(zoneId), accountRoutingPath(account.id, 'zones')]
  const write = (method: 'POST' | 'PATCH') =>
    ask(routingPath(zoneId, 'dns'), { method, body: { name: domain } })
  /** Adds what is missing, and locks all of them. */
  const repair = useAct(() => write('POST'), stale)
  const [refused, setRefused] = useState<{ readonly text: string; readonly about: string }>()
  const unlock = useAct(() => write('PATCH'), stale)
  const { data: answer } = status
  // A refusal is of how things stood then.
  const about = JSON.stringify(answer?.errors)
  function add() {
    setRefused(undefined)
    repair.mutate(undefined, { onError: (error) => setRefused({ text: problemText(error), about }) })
  }
  const isHosted = detail?.dns === 'hosted'
  const isWrittenHere = ({ name }: CheckedRecord) => detail !== undefined && isPublishedHere(detail, name)
  const isRoot = domain === zone.name
  return (
    <Section
      title="DNS records"
      lead={leadOf(detail, isRoot)}
      actions={
        <>
          <Button
            icon={<ArrowsClockwiseIcon aria-hidden />}
            loading={status.isFetching}
            onClick={() => void status.refetch()}
          >
            Check now
          </Button>
          {answer?.records.some((record) => record.state !== 'ready' && isWrittenHere(record)) === true && (
            <Button
              variant="primary"
              icon={<WrenchIcon aria-hidden />}
              loading={repair.isPending}
              onClick={add}
            >
              Repair
            </Button>
          )}
          {isHosted && isRoot && answer?.status === 'unlocked' && isSound(answer) && (
            <Button icon={<LockIcon />} loading={repair.isPending} onClick={add}>
              Lock
            </Button>
          )}
          {isRoot && answer?.records.some((record) => record.locked && unlocks(record, domain)) === true && (
            <Button icon={<LockOpenIcon />} onClick={() => setUnlocking(true)}>
              Unlock
            </Button>
          )}
        </>
      }
    >
      {refused && refused.about === about && <ProblemNote className="mb-4">{refused.text}</ProblemNote>}
      <Asked of={status}>
        {(answer) => (
          <>
            <Summary answer={answer} lookedAt={status.dataUpdatedAt} />
            <CheckedRecordList status={answer} zone={detail} zoneName={zone.name} isSound={isSound(answer)} />
            {detail?.dns === 'manual' && <ZoneFile records={answer.records} />}
            {answer.spf_lookups !== null && (
              <p className="mt-4 text-kumo-subtle">
                The SPF record needs {answer.spf_lookups} of 10 DNS lookups.
              </p>
            )}
          </>
        )}
      </Asked>
      <ConfirmDialog
        open={isUnlocking}
        onOpenChange={setUnlocking}
        title={`Unlock the routing records of ${domain}?`}
        action="Unlock"
        onConfirm={() => unlock.mutateAsync(undefined)}
      >
        They are unlocked together. Mail goes on as before; but whoever changes or deletes one of them by hand
        may end that. Select Lock to have them managed again.
      </ConfirmDialog>
    </Section>
  )
}

function leadOf(zone: ZoneDetail | undefined, isRoot: boolean): string {
  if (zone?.dns === 'manual')
    return `You keep these at the DNS provider of ${zone.name}. Here you see which of them DNS has.`
  if (!isRoot) return 'The records of a subdomain stay locked.'
  return 'Locked records cannot be changed or deleted by hand. Both Locked and Unlocked records are right.'
}

/** Those that announce the policy of MTA-STS stay locked as long as it is on. */
function unlocks({ name }: CheckedRecord, domain: string): boolean {
  return name === domain || name.endsWith(`._domainkey.${domain}`)
}

interface SummaryProps {
  readonly answer: DomainStatusBody
  readonly lookedAt: number
}

function Summary({ answer, lookedAt }: SummaryProps) {
  const found = answer.records.filter(({ state }) => state === 'ready').length
  return (
    <p role="status" className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1">
      <span>
        {found} of {answer.records.length} records found.
      </span>
      <span className="text-kumo-subtle">
        Checked <Moment at={lookedAt} ago />
        {isSound(answer) ? '.' : ', and looks again every few seconds.'}
      </span>
    </p>
  )
}
