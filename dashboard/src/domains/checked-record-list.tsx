import { Badge } from '@cloudflare/kumo/components/badge'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import { DelegationNote } from './delegation-note.tsx'
import { ProblemList } from './problem-list.tsx'
import { RecordList } from './record-list.tsx'
import { RecordLockBadge, RecordStateBadge } from './record-state-badge.tsx'
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
      {!isSound && zone && <Instruction zone={zone} />}
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

function Instruction({ zone }: { readonly zone: ZoneDetail }) {
  if (zone.dns === 'hosted') return <DelegationNote zone={zone} />
  return (
    <p className="mb-4 max-w-prose">
      Copy each record to the DNS provider of {zone.name}. Names are given as they stand before .{zone.name};
      where a form wants them whole, add it. Leave the TTL as it is. DNS may take some minutes.
    </p>
  )
}
