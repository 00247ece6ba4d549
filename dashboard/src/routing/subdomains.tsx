import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Table } from '@cloudflare/kumo/components/table'
import { TrashIcon } from '@phosphor-icons/react'
import { type FormEvent, useState } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { ConflictingRecords } from '../domains/conflicting-records.tsx'
import { useRecordsPreview } from '../domains/use-records-preview.ts'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import type { DomainTabProps } from './domain-tab.ts'
import { routingPath } from './routing-paths.ts'
import { RoutingStatus } from './routing-status.tsx'
import { isFine } from './use-routing-records.ts'

/** Names below the zone's that take mail as well. */
export function Subdomains({ zoneId, zone, domains, domain, onDomain }: DomainTabProps) {
  const [name, setName] = useState('')
  const [going, setGoing] = useState<RoutingSettingsBody>()
  const { data: detail } = useAsk<ZoneDetail>(zonePath(zoneId))
  const add = useAct(
    (name: string) =>
      ask<RoutingSettingsBody>(routingPath(zoneId, 'dns'), { method: 'POST', body: { name } }),
    [routingPath(zoneId)],
  )
  const remove = useAct(
    (subdomain: string) => ask(withQuery(routingPath(zoneId, 'dns'), { subdomain }), { method: 'DELETE' }),
    [routingPath(zoneId)],
  )
  const subdomains = domains.filter((each) => each.name !== zone.name)
  const suffix = `.${zone.name}`
  function submit(event: FormEvent) {
    event.preventDefault()
    const written = name.trim().toLowerCase().replace(/\.$/, '')
    if (written === '') return
    begin(written.endsWith(suffix) ? written : `${written}${suffix}`)
  }
  function begin(subdomain: string) {
    add.mutate(subdomain, {
      onSuccess(settings) {
        setName('')
        // Its records are what is looked for next.
        if (!isFine(settings)) onDomain(subdomain)
      },
    })
  }
  return (
    <Section
      title="Subdomains"
      lead={`Names below ${zone.name} that take mail as well. Each has routing rules and a catch-all of its own.`}
    >
      <form className="flex max-w-xl flex-col items-start gap-2 sm:flex-row" onSubmit={submit}>
        <div className="w-full sm:flex-1">
          <Input
            label="Subdomain"
            placeholder={`support${suffix}`}
            value={name}
            autoComplete="off"
            spellCheck={false}
            required
            onChange={(event) => {
              add.reset()
              setName(event.target.value)
            }}
            {...(add.error && { error: problemText(add.error) })}
          />
        </div>
        <Button type="submit" className="sm:mt-7" loading={add.isPending}>
          Add subdomain
        </Button>
      </form>
      {add.error && detail && <InTheWay zone={detail} domain={add.variables} onDeleted={add.reset} />}
      {subdomains.length > 0 && (
        <div className="mt-4">
          <TableBox label="Subdomains">
            <Table>
              <Table.Header>
                <Table.Row>
                  <Table.Head>Subdomain</Table.Head>
                  <Table.Head>Status</Table.Head>
                  <Table.Head>
                    <span className="sr-only">Actions</span>
                  </Table.Head>
                </Table.Row>
              </Table.Header>
              <Table.Body>
                {subdomains.map((each) => (
                  <Table.Row key={each.name}>
                    <Table.Cell className="font-mono text-sm">{each.name}</Table.Cell>
                    <Table.Cell>
                      <RoutingStatus zoneId={zoneId} settings={each} />
                    </Table.Cell>
                    <Table.Cell>
                      <span className="flex justify-end">
                        {each.enabled ? (
                          <Button
                            variant="ghost"
                            shape="square"
                            size="sm"
                            icon={<TrashIcon />}
                            aria-label={`Remove ${each.name}`}
                            onClick={() => setGoing(each)}
                          />
                        ) : (
                          <Button
                            size="sm"
                            loading={add.isPending && add.variables === each.name}
                            aria-label={`Add ${each.name} again`}
                            onClick={() => begin(each.name)}
                          >
                            Add again
                          </Button>
                        )}
                      </span>
                    </Table.Cell>
                  </Table.Row>
                ))}
              </Table.Body>
            </Table>
          </TableBox>
        </div>
      )}
      <ConfirmDialog
        open={going !== undefined}
        onOpenChange={() => setGoing(undefined)}
        title={`Remove ${going?.name ?? ''}?`}
        action="Remove subdomain"
        onConfirm={async () => {
          if (!going) return
          await remove.mutateAsync(going.name)
          if (domain === going.name) onDomain(undefined)
        }}
      >
        Mail for it is refused from now on.{' '}
        {detail?.dns === 'manual'
          ? 'Delete its MX, SPF and DKIM records at your DNS provider afterwards.'
          : 'The records that were added for it are removed.'}{' '}
        Its rules are kept, and work again if it is added again.
      </ConfirmDialog>
    </Section>
  )
}

interface InTheWayProps {
  readonly zone: ZoneDetail
  readonly domain: string
  readonly onDeleted: () => void
}

/** Why a name could not be added, as far as it can be mended here. */
function InTheWay({ zone, domain, onDeleted }: InTheWayProps) {
  const { data } = useRecordsPreview(routingPath(zone.id, 'dns/preview'), domain)
  return data ? (
    <div className="mt-4">
      <ConflictingRecords zone={zone} errors={data.errors} onDeleted={onDeleted} />
    </div>
  ) : null
}
