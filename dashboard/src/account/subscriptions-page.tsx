import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Switch } from '@cloudflare/kumo/components/switch'
import { BroadcastIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { EventSubscriptionBody } from '#contract/event-subscriptions.ts'
import type { QueueBody } from '#contract/queues.ts'
import { accountPath, ask } from '../api/ask.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { CodeText } from '../parts/code-text.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { FoldingTable } from '../parts/folding-table.tsx'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'
import { SubscribeForm } from './subscribe-form.tsx'

const NOT_SUBSCRIBED = {
  title: 'No queue is subscribed',
  description: 'Subscribe one here, or with wrangler.',
}
const NO_QUEUE = {
  title: 'This account has no queue yet',
  description: 'Create one with wrangler; then it can be subscribed here.',
}
const CREATE_QUEUE = 'npx wrangler queues create my-queue'
const CREATE_SUBSCRIPTION =
  'npx wrangler queues subscription create my-queue --source email.sending --events message.bounced'

/** Queues of the account that are told what happens to mail. */
export function SubscriptionsPage() {
  const { id } = useAccount()
  const path = accountPath(id, 'event_subscriptions/subscriptions')
  const subscriptions = useAsk<readonly EventSubscriptionBody[]>(`${path}?per_page=1000`)
  const queuesPath = `${accountPath(id, 'queues')}?per_page=1000`
  const queues = useAsk<readonly QueueBody[]>(queuesPath, { every: 5000 })
  const hasNoQueue = queues.data?.length === 0
  const [isAdding, setAdding] = useState(false)
  const add = (
    <Button variant="primary" onClick={() => setAdding(true)}>
      Subscribe a queue
    </Button>
  )
  return (
    <Page
      title="Event subscriptions"
      lead="Queues that get an event for what happens to mail; a Worker consumes them."
      actions={!hasNoQueue && add}
    >
      <Section title="Subscriptions">
        <Asked of={subscriptions}>
          {(subscriptions) =>
            subscriptions.length === 0 ? (
              <SectionEmpty
                icon={<BroadcastIcon size={48} />}
                {...(hasNoQueue ? NO_QUEUE : NOT_SUBSCRIBED)}
                contents={
                  <>
                    <div className="w-full max-w-2xl text-left">
                      <CodeText
                        text={hasNoQueue ? CREATE_QUEUE : CREATE_SUBSCRIPTION}
                        what="the command of wrangler"
                      />
                    </div>
                    {!hasNoQueue && add}
                  </>
                }
              />
            ) : (
              <Subscriptions subscriptions={subscriptions} queues={queues.data ?? []} path={path} />
            )
          }
        </Asked>
      </Section>
      {isAdding && <SubscribeForm onClose={() => setAdding(false)} path={path} queues={queues.data ?? []} />}
    </Page>
  )
}

interface SubscriptionsProps {
  readonly subscriptions: readonly EventSubscriptionBody[]
  readonly queues: readonly QueueBody[]
  readonly path: string
}

function Subscriptions({ subscriptions, queues, path }: SubscriptionsProps) {
  const [leaving, setLeaving] = useState<EventSubscriptionBody>()
  const enable = useAct(
    ({ id, enabled }: { readonly id: string; readonly enabled: boolean }) =>
      ask(`${path}/${id}`, { method: 'PATCH', body: { enabled } }),
    [path],
  )
  const remove = useAct((id: string) => ask(`${path}/${id}`, { method: 'DELETE' }), [path])
  return (
    <>
      <FoldingTable
        label="Subscriptions"
        rows={subscriptions}
        rowKey={({ id }) => id}
        columns={[
          { head: 'Name', renderCell: ({ name }) => name, className: 'font-medium' },
          {
            head: 'Queue',
            renderCell: ({ destination: { queue_id: id } }) =>
              queues.find(({ queue_id }) => queue_id === id)?.queue_name ?? id,
          },
          { head: 'Source', renderCell: ({ source: { type, domain } }) => `${type} of ${domain}` },
          { head: 'Events', renderCell: ({ events }) => <Events names={events} /> },
          {
            head: 'Enabled',
            renderCell: ({ id, name, enabled }) => (
              <Switch
                aria-label={`Enabled: ${name}`}
                checked={enabled}
                onCheckedChange={(enabled) => enable.mutate({ id, enabled })}
              />
            ),
          },
          {
            head: 'Actions',
            isActions: true,
            renderCell: (subscription) => (
              <Button
                size="sm"
                variant="secondary-destructive"
                aria-label={`Delete ${subscription.name}`}
                onClick={() => setLeaving(subscription)}
              >
                Delete
              </Button>
            ),
          },
        ]}
      />
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Delete the subscription ${leaving?.name}?`}
        action="Delete the subscription"
        onConfirm={() => remove.mutateAsync(leaving?.id ?? '')}
      >
        The queue gets no more events. What is in it stays there.
      </ConfirmDialog>
    </>
  )
}

function Events({ names }: { readonly names: readonly string[] }) {
  return (
    <span className="flex flex-wrap gap-1">
      {names.map((name) => (
        <Badge key={name} variant="secondary">
          {name}
        </Badge>
      ))}
    </span>
  )
}
