import { Button } from '@cloudflare/kumo/components/button'
import { Switch } from '@cloudflare/kumo/components/switch'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { DkimKeys } from '../domains/dkim-keys.tsx'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useAccount } from '../shell/use-account.ts'
import { DnsRecords } from './dns-records.tsx'
import { DomainSelect } from './domain-select.tsx'
import type { DomainTabProps } from './domain-tab.ts'
import { MtaSts } from './mta-sts.tsx'
import { accountRoutingPath, routingPath } from './routing-paths.ts'
import { Subdomains } from './subdomains.tsx'

/** A zone's own settings, and the records of each of its domains. */
export function SettingsTab(props: DomainTabProps) {
  const { zoneId, zone, domains, domain, onDomain } = props
  const enabled = domains.filter((each) => each.enabled)
  const name = domain ?? enabled[0]?.name
  const isShown = enabled.some((each) => each.name === name)
  return (
    <>
      <Subaddressing zoneId={zoneId} zone={zone} />
      <Subdomains {...props} />
      {name !== undefined && isShown && (
        <>
          {enabled.length > 1 && (
            <div className="mb-6 flex items-end gap-3">
              <DomainSelect
                label="Records and policy of"
                domains={enabled}
                value={name}
                onChange={onDomain}
              />
            </div>
          )}
          <DnsRecords key={`records ${name}`} zoneId={zoneId} zone={zone} domain={name} />
          <ForwardingKeys key={`keys ${name}`} zoneId={zoneId} domain={name} />
          <MtaSts key={`mta-sts ${name}`} zoneId={zoneId} zoneName={zone.name} domain={name} />
        </>
      )}
      {zone.enabled && <Disable zoneId={zoneId} zone={zone} />}
    </>
  )
}

interface OfZone {
  readonly zoneId: string
  readonly zone: RoutingSettingsBody
}

function Subaddressing({ zoneId, zone }: OfZone) {
  const change = useAct(
    (support_subaddress: boolean) =>
      ask(routingPath(zoneId), { method: 'PATCH', body: { support_subaddress } }),
    [routingPath(zoneId)],
  )
  const isOn = change.isPending ? change.variables : zone.support_subaddress
  return (
    <Section
      title="Subaddressing"
      lead="Mail for user+detail@… is for the rule of user@…, unless there is a rule for all of it. A Worker sees the detail in message.to."
    >
      <Switch
        label="Subaddressing"
        checked={isOn}
        transitioning={change.isPending}
        onCheckedChange={(isOn) => change.mutate(isOn)}
      />
      {change.error && <ProblemNote className="mt-4">{problemText(change.error)}</ProblemNote>}
    </Section>
  )
}

interface OfOneDomain {
  readonly zoneId: string
  readonly domain: string
}

function ForwardingKeys({ zoneId, domain }: OfOneDomain) {
  const { data: zone } = useAsk<ZoneDetail>(zonePath(zoneId))
  const of = { subdomain: domain }
  return (
    <DkimKeys
      lead="Forwarded mail is signed with the active key; receivers find its other half in DNS."
      domain={domain}
      zone={zone}
      path={withQuery(routingPath(zoneId, 'dkim'), of)}
      rotatePath={withQuery(routingPath(zoneId, 'dkim/rotate'), of)}
      stale={routingPath(zoneId)}
    />
  )
}

function Disable({ zoneId, zone }: OfZone) {
  const account = useAccount()
  const navigate = useNavigate()
  const { data: detail } = useAsk<ZoneDetail>(zonePath(zoneId))
  const [isAsked, setAsked] = useState(false)
  const disable = useAct(
    () => ask(routingPath(zoneId, 'disable'), { method: 'POST', body: {} }),
    [routingPath(zoneId), accountRoutingPath(account.id, 'zones')],
  )
  const isManual = detail?.dns === 'manual'
  return (
    <Section
      title="Disable Email Routing"
      lead={`${zone.name} takes no mail any more${isManual ? '' : ', and the records that were added to it are removed'}. Its rules are kept.`}
    >
      <Button variant="secondary-destructive" onClick={() => setAsked(true)}>
        Disable Email Routing
      </Button>
      <ConfirmDialog
        open={isAsked}
        onOpenChange={setAsked}
        title={`Disable Email Routing for ${zone.name}?`}
        action="Disable Email Routing"
        typed={zone.name}
        onConfirm={async () => {
          await disable.mutateAsync(undefined)
          await navigate({ to: '/$accountId/routing/domains', params: { accountId: account.id } })
        }}
      >
        {isManual
          ? `Mail for ${zone.name} is refused from now on. Delete its routing records (MX, SPF, DKIM) at your DNS provider afterwards. To change to another provider without a gap, add the new records there first.`
          : `Mail for ${zone.name} is refused from now on, and its routing records (MX, SPF, DKIM) are removed from DNS. To change to another provider without a gap, select Unlock first and add the new records.`}
      </ConfirmDialog>
    </Section>
  )
}
