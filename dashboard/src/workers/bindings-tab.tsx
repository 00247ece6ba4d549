import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Link } from '@cloudflare/kumo/components/link'
import { Table } from '@cloudflare/kumo/components/table'
import { PlugsIcon, TrashIcon } from '@phosphor-icons/react'
import { type ReactNode, useState } from 'react'
import type { ShownBindingBody } from '#contract/workers-bindings.ts'
import { ask } from '../api/ask.ts'
import { useAct } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { scriptPath } from './script-path.ts'
import { SetSecret } from './set-secret.tsx'
import { useRunningVersion } from './use-running-version.ts'
import type { WorkerTabProps } from './worker-page.tsx'

const TYPES = {
  plain_text: 'Variable',
  secret_text: 'Secret',
  json: 'Variable (JSON)',
  kv_namespace: 'KV namespace',
  queue: 'Queue',
  analytics_engine: 'Analytics Engine dataset',
  service: 'Service',
  send_email: 'Send email',
} as const satisfies Record<ShownBindingBody['type'], string>

/** What the version that runs finds in its `env`. */
export function BindingsTab({ accountId, worker }: WorkerTabProps) {
  const version = useRunningVersion(accountId, worker.id)
  const [isSetting, setSetting] = useState(false)
  const [going, setGoing] = useState<string>()
  const stale = [scriptPath(accountId, worker.id)]
  const path = scriptPath(accountId, worker.id, 'secrets')
  const remove = useAct(
    (name: string) => ask(`${path}/${encodeURIComponent(name)}`, { method: 'DELETE' }),
    stale,
  )
  return (
    <Section
      title="Bindings"
      lead="What the version that runs finds in env. Secrets show their names alone; all others are set by the Worker’s configuration."
      actions={<Button onClick={() => setSetting(true)}>Set a secret</Button>}
    >
      <Asked of={version}>
        {({ resources: { bindings } }) =>
          bindings.length === 0 ? (
            <SectionEmpty
              icon={<PlugsIcon size={32} />}
              title="No binding"
              description="Add send_email, kv_namespaces, queues or vars to its wrangler configuration, and deploy it."
            />
          ) : (
            <TableBox label="Bindings">
              <Table>
                <Table.Header>
                  <Table.Row>
                    <Table.Head>Name</Table.Head>
                    <Table.Head>Type</Table.Head>
                    <Table.Head>Value</Table.Head>
                    <Table.Head>
                      <span className="sr-only">Actions</span>
                    </Table.Head>
                  </Table.Row>
                </Table.Header>
                <Table.Body>
                  {bindings.map((binding) => (
                    <Table.Row key={binding.name}>
                      <Table.Cell className="font-mono text-sm">{binding.name}</Table.Cell>
                      <Table.Cell>
                        <Badge variant="secondary">{TYPES[binding.type]}</Badge>
                      </Table.Cell>
                      <Table.Cell className="min-w-48 break-all">
                        <Value accountId={accountId} binding={binding} />
                      </Table.Cell>
                      <Table.Cell>
                        <span className="flex justify-end">
                          {binding.type === 'secret_text' && (
                            <Button
                              variant="ghost"
                              shape="square"
                              size="sm"
                              icon={<TrashIcon />}
                              aria-label={`Delete the secret ${binding.name}`}
                              onClick={() => setGoing(binding.name)}
                            />
                          )}
                        </span>
                      </Table.Cell>
                    </Table.Row>
                  ))}
                </Table.Body>
              </Table>
            </TableBox>
          )
        }
      </Asked>
      {isSetting && <SetSecret accountId={accountId} script={worker.id} onClose={() => setSetting(false)} />}
      <ConfirmDialog
        open={going !== undefined}
        onOpenChange={() => setGoing(undefined)}
        title={`Delete the secret ${going ?? ''}?`}
        action="Delete secret"
        onConfirm={async () => going !== undefined && remove.mutateAsync(going)}
      >
        The Worker runs without it at once. Its text cannot be had back.
      </ConfirmDialog>
    </Section>
  )
}

function Value({
  accountId,
  binding,
}: {
  readonly accountId: string
  readonly binding: ShownBindingBody
}): ReactNode {
  switch (binding.type) {
    case 'plain_text':
      return <code className="font-mono text-sm">{binding.text}</code>
    case 'secret_text':
      return <span className="text-kumo-subtle">Hidden</span>
    case 'json':
      return <code className="font-mono text-sm">{JSON.stringify(binding.json)}</code>
    case 'kv_namespace':
      return <code className="font-mono text-sm">{binding.namespace_id}</code>
    case 'queue':
      return binding.queue_name
    case 'analytics_engine':
      return binding.dataset
    case 'service':
      return <Link href={`/${accountId}/workers/${binding.service ?? ''}`}>{binding.service}</Link>
    case 'send_email':
      return <Restriction binding={binding} />
  }
}

function Restriction({ binding }: { readonly binding: ShownBindingBody }) {
  const to = binding.destination_address ?? binding.allowed_destination_addresses?.join(', ')
  const from = binding.allowed_sender_addresses?.join(', ')
  const words = [to && `to ${to}`, from && `as ${from}`].filter(Boolean).join('; ')
  return words === '' ? 'To whom the account may send' : `Only ${words}`
}
