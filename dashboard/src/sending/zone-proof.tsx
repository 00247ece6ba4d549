import { Button } from '@cloudflare/kumo/components/button'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { ZoneBody } from '#contract/zones.ts'
import { ask, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RecordList } from './record-list.tsx'
import { onboardRoute } from './routes.ts'

/** What proves a pending zone: shown until DNS has it. */
export function ZoneProof({ zone }: { readonly zone: ZoneBody }) {
  const { id, name, name_servers: servers, type, verification } = zone
  const check = useAct(() => ask(zonePath(id, 'activation_check'), { method: 'PUT' }), [zonePath(id)])
  const delegation = servers.map((content) => ({ type: 'NS' as const, name, content }))
  return (
    <Section
      title={`Prove that ${name} is yours`}
      lead={
        type === 'full'
          ? 'Set these name servers at your registrar, or publish the TXT record at the DNS provider that you have now.'
          : 'Publish this TXT record at the DNS provider of the domain. It may go once the domain is active.'
      }
      actions={<RemoveZone id={id} name={name} />}
    >
      <RecordList
        label="Records that prove the domain"
        records={type === 'full' ? [verification.record, ...delegation] : [verification.record]}
        zone={name}
      />
      <div className="mt-4 flex flex-wrap items-center gap-3">
        <Button loading={check.isPending} onClick={() => check.mutate(undefined)}>
          Check now
        </Button>
        <p role="status" className="text-kumo-subtle">
          {verification.problem ??
            'DNS is asked by itself, at first every minute and then more and more seldom.'}
          {verification.checked_on !== null && (
            <>
              {' '}
              Looked <Moment at={verification.checked_on} ago />.
            </>
          )}
        </p>
      </div>
      {check.error && <ProblemNote className="mt-4">{problemText(check.error)}</ProblemNote>}
    </Section>
  )
}

function RemoveZone({ id, name }: { readonly id: string; readonly name: string }) {
  const { accountId } = onboardRoute.useParams()
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const remove = useAct(() => ask(zonePath(id), { method: 'DELETE' }), ['/client/v4/zones'])
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
          await navigate({ to: '/$accountId/sending/domains', params: { accountId } })
        }}
      >
        Nothing was ever sent from it. You can add it again, with another record to prove it.
      </ConfirmDialog>
    </>
  )
}
