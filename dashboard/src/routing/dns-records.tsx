import { Button } from '@cloudflare/kumo/components/button'
import { ArrowsClockwiseIcon, LockIcon, LockOpenIcon, WrenchIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { CheckedRecordList } from '../domains/checked-record-list.tsx'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useAccount } from '../shell/use-account.ts'
import { accountRoutingPath, routingPath } from './routing-paths.ts'

interface DnsRecordsProps {
  readonly zoneId: string
  readonly zone: RoutingSettingsBody
  readonly domain: string
}

/** While something is wrong that DNS may mend at any moment. */
const LOOK_MS = 10_000

/** The routing records of a domain, as a look at DNS finds them. */
export function DnsRecords({ zoneId, zone, domain }: DnsRecordsProps) {
  const account = useAccount()
  const path = withQuery(routingPath(zoneId, 'dns/status'), { subdomain: domain })
  const detail = useAsk<ZoneDetail>(zonePath(zoneId))
  const status = useAsk<DomainStatusBody>(path)
  // The same question, asked again and again by what the answer says.
  useAsk<DomainStatusBody>(path, { every: status.data && isSound(status.data) ? false : LOOK_MS })
  const [isUnlocking, setUnlocking] = useState(false)
  const stale = [routingPath(zoneId), accountRoutingPath(account.id, 'zones')]
  const write = (method: 'POST' | 'PATCH') =>
    ask(routingPath(zoneId, 'dns'), { method, body: { name: domain } })
  /** Adds what is missing, and locks all of them. */
  const repair = useAct(() => write('POST'), stale)
  const unlock = useAct(() => write('PATCH'), stale)
  const isRoot = domain === zone.name
  const isLocked = status.data?.records.every(({ locked }) => locked) === true
  const isPartlyLocked = status.data?.records.some(({ locked }) => locked) === true
  return (
    <Section
      title="DNS records"
      lead={
        isRoot
          ? 'Locked records cannot be changed or deleted by hand. Both Locked and Unlocked records are right.'
          : 'The records of a subdomain stay locked.'
      }
      actions={
        <>
          <Button
            icon={<ArrowsClockwiseIcon aria-hidden />}
            loading={status.isFetching}
            onClick={() => void status.refetch()}
          >
            Check now
          </Button>
          {status.data && !isSound(status.data) && (
            <Button
              variant="primary"
              icon={<WrenchIcon aria-hidden />}
              loading={repair.isPending}
              onClick={() => repair.mutate(undefined)}
            >
              Repair
            </Button>
          )}
          {isRoot && status.data && !isLocked && isSound(status.data) && (
            <Button icon={<LockIcon />} loading={repair.isPending} onClick={() => repair.mutate(undefined)}>
              Lock
            </Button>
          )}
          {isRoot && isPartlyLocked && (
            <Button icon={<LockOpenIcon />} onClick={() => setUnlocking(true)}>
              Unlock
            </Button>
          )}
        </>
      }
    >
      {repair.error && <ProblemNote className="mb-4">{problemText(repair.error)}</ProblemNote>}
      <Asked of={status}>
        {(answer) => (
          <>
            <CheckedRecordList
              status={answer}
              zone={detail.data}
              zoneName={zone.name}
              isSound={isSound(answer)}
            />
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

function isSound({ errors, records }: DomainStatusBody): boolean {
  return errors.length === 0 && records.every(({ state }) => state === 'ready')
}
