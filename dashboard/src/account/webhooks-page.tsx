import { Button } from '@cloudflare/kumo/components/button'
import { Link } from '@cloudflare/kumo/components/link'
import { BellIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { WebhookBody, WebhookWithSecretBody } from '#contract/webhooks.ts'
import { accountPath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { FoldingTable } from '../parts/folding-table.tsx'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
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
              <SectionEmpty
                icon={<BellIcon size={48} />}
                title="Nobody is told yet"
                description="Add an address, and it hears of bounces and complaints at once."
                contents={add}
              />
            ) : (
              <FoldingTable
                label="Webhooks"
                rows={webhooks}
                rowKey={({ id }) => id}
                columns={[
                  {
                    head: 'URL',
                    className: 'min-w-56',
                    renderCell: (webhook) => (
                      <>
                        <Link href={`/${id}/account/webhooks/${webhook.id}`} className="break-all">
                          {webhook.url}
                        </Link>
                        {webhook.description !== '' && (
                          <span className="block text-sm font-normal text-kumo-subtle">
                            {webhook.description}
                          </span>
                        )}
                      </>
                    ),
                  },
                  { head: 'State', renderCell: ({ status }) => <WebhookState status={status} /> },
                  { head: 'Events', renderCell: ({ events }) => (events === null ? 'All' : events.length) },
                  { head: 'Domains', renderCell: ({ domains }) => domains?.join(', ') ?? 'All' },
                ]}
              />
            )
          }
        </Asked>
      </Section>
      {isAdding && <WebhookForm open onOpenChange={setAdding} path={path} onMade={setMade} />}
    </Page>
  )
}
