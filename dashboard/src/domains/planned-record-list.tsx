import { Badge } from '@cloudflare/kumo/components/badge'
import type { DomainPreviewBody, ExpectedRecordBody, RecordErrorBody } from '#contract/onboarding-records.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ConflictingRecords } from './conflicting-records.tsx'
import { isPublishedHere } from './dns-roads.ts'
import { ProblemList } from './problem-list.tsx'
import { RecordList } from './record-list.tsx'

interface PlannedRecordListProps {
  readonly preview: DomainPreviewBody
  readonly zone: string
  /** Whose records they become: what stands here in their way can be deleted, and what is to be merged is merged. */
  readonly owner?: ZoneBody
}

/** The records that a domain is to have, under what of it has to be mended first. */
export function PlannedRecordList({ preview: { records, errors }, zone, owner }: PlannedRecordListProps) {
  return (
    <>
      <ProblemList errors={owner ? errors.filter((error) => !isMerged(owner, error)) : errors} />
      {owner && <ConflictingRecords zone={owner} errors={errors} />}
      <RecordList
        label="Records to be added"
        records={records}
        zone={zone}
        renderState={(record) => (
          <Plan error={errors.find(({ missing }) => missing && isSame(record, missing))} />
        )}
      />
    </>
  )
}

/** An existing record may differ from ours and still do: what counts is what is said of it. */
function Plan({ error }: { readonly error: RecordErrorBody | undefined }) {
  if (!error) return <Badge variant="success">Already there</Badge>
  return <Badge variant="info">{error.code === 'spf.foreign' ? 'To be changed' : 'To be added'}</Badge>
}

function isSame(one: ExpectedRecordBody, other: ExpectedRecordBody): boolean {
  return one.type === other.type && one.name === other.name && one.content === other.content
}

function isMerged(zone: ZoneBody, { code, existing }: RecordErrorBody): boolean {
  return code === 'spf.foreign' && existing !== undefined && isPublishedHere(zone, existing.name)
}
