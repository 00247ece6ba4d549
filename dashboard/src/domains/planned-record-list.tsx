import { Badge } from '@cloudflare/kumo/components/badge'
import type { DomainPreviewBody, ExpectedRecordBody } from '#contract/onboarding-records.ts'
import { ProblemList } from './problem-list.tsx'
import { RecordList } from './record-list.tsx'

interface PlannedRecordListProps {
  readonly preview: DomainPreviewBody
  readonly zone: string
}

/** The records that a domain is to have, under what of it has to be mended first. */
export function PlannedRecordList({ preview: { records, errors }, zone }: PlannedRecordListProps) {
  return (
    <>
      <ProblemList errors={errors} />
      <RecordList
        label="Records to be added"
        records={records}
        zone={zone}
        renderState={(record) =>
          isMissing(record, errors) ? (
            <Badge variant="info">To be added</Badge>
          ) : (
            <Badge variant="success">Already there</Badge>
          )
        }
      />
    </>
  )
}

/** An existing record may differ from ours and still do: what counts is whether it is missed. */
function isMissing(record: ExpectedRecordBody, errors: DomainPreviewBody['errors']): boolean {
  return errors.some(
    ({ missing }) =>
      missing?.type === record.type && missing.name === record.name && missing.content === record.content,
  )
}
