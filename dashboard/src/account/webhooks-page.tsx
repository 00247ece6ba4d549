import { Button } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Link } from '@cloudflare/kumo/components/link'
import { Table } from '@cloudflare/kumo/components/table'
import { BellIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { WebhookBody, WebhookWithSecretBody } from '#contract/webhooks.ts'
import { accountPath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { useAccount } from '../shell/use-account.ts'
import { WebhookForm } from './webhook-form.tsx'
import { WebhookSecret } from './webhook-secret.tsx'
import { WebhookState } from './webhook-state.tsx'

/** Addresses that are told what happens to mail. */
export function WebhooksPage() {
  const { id } = useAccount()
  const path = accountPath(id, 'email/webhooks')
  const webhooks = useAsk<readonly WebhookBody[]>(path, { every: 5000 })
  const [isAdding, setAdding] = useState(false)
  const [made, setMade] = useState<WebhookWithSecretBody>()
  const add = (
    <Button variant="primary" onClick={() => setAdding(true)}>
      Add webhook
    </Button>
  )
  return (
    <Page
      title="Webhooks"
      lead="HTTPS addresses of yours that are told what happens to mail, as it happens."
      actions={add}
    >
      {made && <WebhookSecret webhook={made} />}
      <Section title="Addresses">
        <Asked of={webhooks}>
          {(webhooks) =>
            webhooks.length === 0 ? (
              <Empty
                icon={<BellIcon size={48} />}
                title="Nobody is told yet"
                description="Add an address, and it hears of bounces and complaints at once."
                contents={add}
              />
            ) : (
              <TableBox label="Webhooks">
                <Table>
                  <Table.Header>
                    <Table.Row>
                      <Table.Head>URL</Table.Head>
                      <Table.Head>State</Table.Head>
                      <Table.Head>Events</Table.Head>
                      <Table.Head>Domains</Table.Head>
                    </Table.Row>
                  </Table.Header>
                  <Table.Body>
                    {webhooks.map((webhook) => (
                      <Table.Row key={webhook.id}>
                        <Table.Cell className="min-w-56">
                          <Link href={`/${id}/account/webhooks/${webhook.id}`} className="break-all">
                            {webhook.url}
                          </Link>
                          {webhook.description !== '' && (
                            <span className="block text-sm text-kumo-subtle">{webhook.description}</span>
                          )}
                        </Table.Cell>
                        <Table.Cell>
                          <WebhookState status={webhook.status} />
                        </Table.Cell>
                        <Table.Cell>{webhook.events === null ? 'All' : webhook.events.length}</Table.Cell>
                        <Table.Cell>
                          {webhook.domains === null ? 'All' : webhook.domains.join(', ')}
                        </Table.Cell>
                      </Table.Row>
                    ))}
                  </Table.Body>
                </Table>
              </TableBox>
            )
          }
        </Asked>
      </Section>
      <WebhookForm open={isAdding} onOpenChange={setAdding} path={path} onMade={setMade} />
    </Page>
  )
}
