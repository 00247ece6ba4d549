import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { ArrowsClockwiseIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { ZoneBody } from '#contract/zones.ts'
import { accountPath, ask, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RecordList } from './record-list.tsx'

interface ZoneProofProps {
  readonly zone: ZoneBody
  readonly onRemoved: () => unknown
}

/** Proof may come at any moment from somebody who edits DNS elsewhere. */
const LOOK_MS = 5000

/** What proves a pending zone: shown until DNS has it. */
export function ZoneProof({ zone, onRemoved }: ZoneProofProps) {
  const { id, name, name_servers: servers, type } = zone
  const { record, problem, checked_on: checkedOn } = zone.verification
  // Whoever asked for the zone hears of it too: the answer is kept under the same path.
  useAsk<ZoneBody>(zonePath(id), { every: LOOK_MS })
  const check = useAct(
    () => ask(zonePath(id, 'activation_check'), { method: 'PUT', body: {} }),
    [zonePath(id)],
  )
  const delegation = servers.map((content) => ({ type: 'NS' as const, name, content }))
  return (
    <Section
      title={`Prove that ${name} is yours`}
      lead={
        type === 'full'
          ? 'Set these name servers at your registrar, or publish the TXT record at the DNS provider that you have now. This page goes on by itself once DNS says so.'
          : 'Publish this TXT record at the DNS provider of the domain. This page goes on by itself once DNS says so.'
      }
      actions={
        <>
          <Button
            icon={<ArrowsClockwiseIcon aria-hidden />}
            loading={check.isPending}
            onClick={() => check.mutate(undefined)}
          >
            Check now
          </Button>
          <RemoveZone zone={zone} onRemoved={onRemoved} />
        </>
      }
    >
      {check.error && <ProblemNote className="mb-4">{problemText(check.error)}</ProblemNote>}
      <p role="status" className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge variant="warning" appearance="dot">
          Pending proof
        </Badge>
        <span>
          {problem ?? 'DNS is asked by itself, at first every minute and then more and more seldom.'}
        </span>
        {checkedOn !== null && (
          <span className="text-kumo-subtle">
            Checked <Moment at={checkedOn} ago />.
          </span>
        )}
      </p>
      <RecordList
        label="Records that prove the domain"
        records={type === 'full' ? [...delegation, record] : [record]}
        zone={name}
      />
    </Section>
  )
}

function RemoveZone({ zone: { id, name, account }, onRemoved }: ZoneProofProps) {
  const [open, setOpen] = useState(false)
  const remove = useAct(
    () => ask(zonePath(id), { method: 'DELETE' }),
    ['/client/v4/zones', accountPath(account.id, 'email/routing/zones')],
  )
  return (
    <>
      <Button variant="secondary-destructive" onClick={() => setOpen(true)}>
        Remove zone
      </Button>
      <ConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title={`Remove ${name}?`}
        action="Remove zone"
        onConfirm={async () => {
          await remove.mutateAsync(undefined)
          await onRemoved()
        }}
      >
        Nothing was set up with it yet. You can add it again, with another record to prove it.
      </ConfirmDialog>
    </>
  )
}
