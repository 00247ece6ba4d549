import { Button } from '@cloudflare/kumo/components/button'
import { Switch } from '@cloudflare/kumo/components/switch'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { queryKey, useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { DnsHosting } from './dns-hosting.tsx'
import { DnsRecords } from './dns-records.tsx'
import type { OfDomain } from './domain-page.tsx'
import { domainRoute } from './routes.ts'
import { sendingDomainPath } from './use-domain-status.ts'

export function DomainSettings(of: OfDomain) {
  return (
    <>
      <Options {...of} />
      <DnsRecords {...of} />
      <DnsHosting zone={of.zone} />
      <RemoveDomain {...of} />
    </>
  )
}

type Change = Partial<Pick<SendingSubdomainBody, 'preview_enabled' | 'drop_suppressed_recipients'>>

function Options({ zone, domain }: OfDomain) {
  const path = sendingDomainPath(zone.id, domain.tag)
  const change = useAct(
    (body: Change) => ask<SendingSubdomainBody>(path, { method: 'PATCH', body }),
    [sendingDomainPath(zone.id)],
  )
  // Shown as wanted while it is under way.
  const shown = change.isPending ? { ...domain, ...change.variables } : domain
  return (
    <Section title="Sending">
      <div className="flex flex-col gap-5">
        <div>
          <Switch
            label="Previews"
            checked={shown.preview_enabled}
            onCheckedChange={(on) => change.mutate({ preview_enabled: on })}
          />
          <p className="mt-1 max-w-prose text-kumo-subtle">
            Keeps the content of what is sent for a while, so that a message’s page can show it. Off, it is
            deleted with the last delivery.
          </p>
        </div>
        <div>
          <Switch
            label="Drop suppressed recipients"
            checked={shown.drop_suppressed_recipients}
            onCheckedChange={(on) => change.mutate({ drop_suppressed_recipients: on })}
          />
          <p className="mt-1 max-w-prose text-kumo-subtle">
            A message goes to its other recipients, and the answer names those left out. Off, a message with a
            suppressed recipient is refused as a whole.
          </p>
        </div>
        {change.error && <ProblemNote>{problemText(change.error)}</ProblemNote>}
      </div>
    </Section>
  )
}

function RemoveDomain({ accountId, zone, domain }: OfDomain) {
  const [open, setOpen] = useState(false)
  const navigate = domainRoute.useNavigate()
  const client = useQueryClient()
  async function remove() {
    const path = sendingDomainPath(zone.id, domain.tag)
    await ask(path, { method: 'DELETE' })
    // First away from here: what is gone is not asked for again.
    await navigate({ to: '/$accountId/sending/domains', params: { accountId }, search: {} })
    client.removeQueries({ queryKey: queryKey(path) })
    await client.invalidateQueries({ queryKey: queryKey('/client/v4/zones') })
  }
  return (
    <Section
      title="Remove Domain"
      lead={`Ends sending from ${domain.name}, and deletes the records that were made for it.`}
    >
      <Button variant="secondary-destructive" onClick={() => setOpen(true)}>
        Remove Domain
      </Button>
      <ConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title={`Remove ${domain.name} from Email Sending?`}
        action="Remove Domain"
        typed={domain.name}
        onConfirm={remove}
      >
        <p>
          Nothing can be sent from it any more, by API, SMTP or Workers.{' '}
          {zone.dns === 'hosted'
            ? 'Its cf-bounce MX, SPF, DKIM and DMARC records are deleted.'
            : 'Delete its cf-bounce MX, SPF, DKIM and DMARC records at your DNS provider afterwards.'}{' '}
          Email Routing is not touched. It can be onboarded again, with the key that it has.
        </p>
      </ConfirmDialog>
    </Section>
  )
}
