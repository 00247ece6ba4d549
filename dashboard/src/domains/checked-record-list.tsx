import { Badge } from '@cloudflare/kumo/components/badge'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import { ConflictingRecords } from './conflicting-records.tsx'
import { DelegationNote } from './delegation-note.tsx'
import { isPublishedHere } from './dns-roads.ts'
import { ProblemList } from './problem-list.tsx'
import { RecordList } from './record-list.tsx'
import { type CheckedRecord, RecordLockBadge, RecordStateBadge } from './record-state-badge.tsx'
import type { ZoneDetail } from './zone-detail.ts'

interface CheckedRecordListProps {
  readonly status: DomainStatusBody
  /** Undefined while it is on its way. */
  readonly zone: ZoneDetail | undefined
  readonly zoneName: string
  /** Nothing is left for the owner to do. */
  readonly isSound: boolean
}

/** A domain's records as the last look at DNS found them, under what its owner has to do for them. */
export function CheckedRecordList({ status, zone, zoneName, isSound }: CheckedRecordListProps) {
  return (
    <>
      <ProblemList errors={status.errors} />
      {zone && <ConflictingRecords zone={zone} errors={status.errors} />}
      {!isSound && zone && <Instructions zone={zone} records={status.records} />}
      <RecordList
        label="DNS records"
        records={status.records}
        zone={zoneName}
        renderState={(record) => (
          <>
            {record.next && <Badge variant="info">Next key</Badge>}
            <RecordStateBadge record={record} />
            {record.state === 'ready' && <RecordLockBadge locked={record.locked} />}
          </>
        )}
      />
    </>
  )
}

interface InstructionsProps {
  readonly zone: ZoneDetail
  readonly records: readonly CheckedRecord[]
}

/** For each record that DNS lacks, the way in which it comes there. */
function Instructions({ zone, records }: InstructionsProps) {
  const lacking = records.filter(({ state }) => state !== 'ready')
  const copied = lacking.filter(({ name }) => !isPublishedHere(zone, name))
  const { name } = zone
  return (
    <>
      {copied.length < lacking.length && <DelegationNote zone={zone} />}
      {copied.length > 0 && (
        <p className="mb-4 max-w-prose">
          {zone.dns === 'manual'
            ? `Copy each record to the DNS provider of ${name}.`
            : `What stands at ${name} itself cannot be delegated: copy those records to its DNS provider.`}{' '}
          Names are given as they stand before .{name}; where a form wants them whole, add it. Leave the TTL
          as it is. DNS may take some minutes.
        </p>
      )}
    </>
  )
}
