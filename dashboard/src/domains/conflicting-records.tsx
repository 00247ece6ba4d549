import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import type { DnsRecordBody } from '#contract/dns-records.ts'
import type { RecordErrorBody } from '#contract/onboarding-records.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { isPublishedHere } from './dns-roads.ts'
import { type CompetingRecord, competingRecords } from './record-problems.ts'

interface ConflictingRecordsProps {
  readonly zone: Pick<ZoneBody, 'id' | 'name' | 'type' | 'dns'>
  readonly errors: readonly RecordErrorBody[]
  readonly onDeleted?: () => void
}

/** Records of a zone hosted here that stand in the way of the service's. Only their owner may say that they go. */
export function ConflictingRecords({ zone, errors, onDeleted }: ConflictingRecordsProps) {
  const [going, setGoing] = useState<CompetingRecord>()
  const remove = useAct((record: CompetingRecord) => deleteRecord(zone.id, record), [zonePath(zone.id)])
  const records = competingRecords(errors).filter(({ name }) => isPublishedHere(zone, name))
  return (
    <>
      {records.length > 0 && (
        <ul
          aria-label="Records in the way"
          className="mb-6 divide-y last:mb-0 divide-kumo-hairline border-y border-kumo-hairline"
        >
          {records.map((record) => (
            <li
              key={recordText(record)}
              className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-3"
            >
              <span className="min-w-0 flex-1 basis-60 font-mono text-sm break-all">
                <span className="mr-3 font-semibold">{record.type}</span>
                {record.name} {record.content}
              </span>
              <Button
                variant="secondary-destructive"
                size="sm"
                aria-label={`Delete record ${recordText(record)}`}
                onClick={() => setGoing(record)}
              >
                Delete record
              </Button>
            </li>
          ))}
        </ul>
      )}
      <ConfirmDialog
        open={going !== undefined}
        onOpenChange={() => setGoing(undefined)}
        title={`Delete the ${going?.type ?? ''} record of ${going?.name ?? ''}?`}
        action="Delete record"
        onConfirm={async () => {
          if (going) await remove.mutateAsync(going)
          onDeleted?.()
        }}
      >
        {going && <span className="font-mono break-all">{recordText(going)}</span>} is deleted from DNS
        {going?.type === 'MX' && ', and no mail goes there any more'}. This cannot be undone.
      </ConfirmDialog>
    </>
  )
}

function recordText({ type, name, content }: CompetingRecord): string {
  return `${type} ${name} ${content}`
}

/** Nothing where it is gone already. */
async function deleteRecord(zoneId: string, { type, name, content }: CompetingRecord): Promise<void> {
  const path = zonePath(zoneId, 'dns_records')
  const found = await ask<readonly DnsRecordBody[]>(withQuery(path, { name, type, per_page: 1000 }))
  for (const record of found) {
    if (record.content === content) await ask(`${path}/${record.id}`, { method: 'DELETE' })
  }
}
