import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Table } from '@cloudflare/kumo/components/table'
import { TrashIcon } from '@phosphor-icons/react'
import { type FormEvent, useState } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { ask, withQuery } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import type { DomainTabProps } from './domain-tab.ts'
import { routingPath } from './routing-paths.ts'
import { RoutingStatus } from './routing-status.tsx'

/** Names below the zone's that take mail as well. */
export function Subdomains({ zoneId, zone, domains, domain, onDomain }: DomainTabProps) {
  const [name, setName] = useState('')
  const [going, setGoing] = useState<RoutingSettingsBody>()
  const add = useAct(
    (name: string) => ask(routingPath(zoneId, 'dns'), { method: 'POST', body: { name } }),
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
    add.mutate(written.endsWith(suffix) ? written : `${written}${suffix}`, { onSuccess: () => setName('') })
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
                      <RoutingStatus settings={each} />
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
                            onClick={() => add.mutate(each.name)}
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
        Mail for it is refused from now on, and the records that were added for it are removed. Its rules are
        kept, and work again if it is added again.
      </ConfirmDialog>
    </Section>
  )
}
