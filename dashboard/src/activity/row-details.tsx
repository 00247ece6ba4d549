import { Button } from '@cloudflare/kumo/components/button'
import { Dialog } from '@cloudflare/kumo/components/dialog'
import type { ActivityBody } from '#contract/activity.ts'
import { causeText } from '../parts/cause-text.ts'
import { Moment } from '../parts/moment.tsx'
import { StatusBadge } from '../parts/status-badge.tsx'
import { NO_SENDER } from './row-text.ts'

interface RowDetailsProps {
  /** Undefined: none is shown. */
  readonly row: ActivityBody | undefined
  readonly onClose: () => void
}

/** All that is known of what was refused before it was a message. */
export function RowDetails({ row, onClose }: RowDetailsProps) {
  return (
    <Dialog.Root open={row !== undefined} onOpenChange={onClose}>
      <Dialog size="lg" className="max-h-dvh overflow-y-auto p-6">
        {row && <Details row={row} />}
        <div className="mt-4 flex justify-end">
          <Button onClick={onClose}>Close</Button>
        </div>
      </Dialog>
    </Dialog.Root>
  )
}

function Details({ row }: { readonly row: ActivityBody }) {
  const authentication = (['spf', 'dkim', 'dmarc', 'arc'] as const).flatMap((name) => {
    const result = row[name]
    return result === null ? [] : [[name.toUpperCase(), result] as const]
  })
  const facts = [
    ...[['From', row.from || NO_SENDER] as const, ['To', row.to] as const],
    ...(row.cause === null ? [] : [['Cause', causeText(row.cause)] as const]),
    ...(row.error === null ? [] : [['What was said', row.error] as const]),
    ...authentication,
    ...(row.session_id === null ? [] : [['SMTP session', row.session_id] as const]),
  ]
  return (
    <>
      <Dialog.Title className="text-xl font-semibold">
        <bdi>{row.subject || 'Refused before it was sent'}</bdi>
      </Dialog.Title>
      <Dialog.Description
        render={<div />}
        className="mt-2 flex flex-wrap items-center gap-3 text-kumo-subtle"
      >
        {row.status !== null && <StatusBadge status={row.status} direction={row.direction} />}
        <Moment at={row.at} />
      </Dialog.Description>
      <dl className="mt-4 grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 [overflow-wrap:anywhere]">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-kumo-subtle">{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </>
  )
}
