import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Switch } from '@cloudflare/kumo/components/switch'
import { Table } from '@cloudflare/kumo/components/table'
import { BroadcastIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { EventSubscriptionBody } from '#contract/event-subscriptions.ts'
import type { QueueBody } from '#contract/queues.ts'
import { accountPath, ask } from '../api/ask.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Page, Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { useAccount } from '../shell/use-account.ts'
import { SubscribeForm } from './subscribe-form.tsx'

/** Queues of the account that are told what happens to mail. */
export function SubscriptionsPage() {
  const { id } = useAccount()
  const path = accountPath(id, 'event_subscriptions/subscriptions')
  const subscriptions = useAsk<readonly EventSubscriptionBody[]>(`${path}?per_page=1000`)
  const queues = useAsk<readonly QueueBody[]>(`${accountPath(id, 'queues')}?per_page=1000`)
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
      actions={add}
    >
      <Section title="Subscriptions">
        <Asked of={subscriptions}>
          {(subscriptions) =>
            subscriptions.length === 0 ? (
              <Empty
                icon={<BroadcastIcon size={48} />}
                title="No queue is subscribed"
                description="Subscribe one here, or with wrangler."
                commandLine="npx wrangler queues subscription create my-queue --source email.sending --events message.bounced"
                contents={add}
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
    <TableBox label="Subscriptions">
      <Table>
        <Table.Header>
          <Table.Row>
            <Table.Head>Name</Table.Head>
            <Table.Head>Queue</Table.Head>
            <Table.Head>Source</Table.Head>
            <Table.Head>Events</Table.Head>
            <Table.Head>Enabled</Table.Head>
            <Table.Head>
              <span className="sr-only">Actions</span>
            </Table.Head>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {subscriptions.map((subscription) => {
            const { id, name, source, destination, events, enabled } = subscription
            const queue = queues.find(({ queue_id }) => queue_id === destination.queue_id)
            return (
              <Table.Row key={id}>
                <Table.Cell className="font-medium">{name}</Table.Cell>
                <Table.Cell>{queue?.queue_name ?? destination.queue_id}</Table.Cell>
                <Table.Cell>
                  {source.type} of {source.domain}
                </Table.Cell>
                <Table.Cell>
                  <span className="flex flex-wrap gap-1">
                    {events.map((event) => (
                      <Badge key={event} variant="secondary">
                        {event}
                      </Badge>
                    ))}
                  </span>
                </Table.Cell>
                <Table.Cell>
                  <Switch
                    aria-label={`Enabled: ${name}`}
                    checked={enabled}
                    onCheckedChange={(enabled) => enable.mutate({ id, enabled })}
                  />
                </Table.Cell>
                <Table.Cell>
                  <Button
                    size="sm"
                    variant="secondary-destructive"
                    aria-label={`Delete ${name}`}
                    onClick={() => setLeaving(subscription)}
                  >
                    Delete
                  </Button>
                </Table.Cell>
              </Table.Row>
            )
          })}
        </Table.Body>
      </Table>
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Delete the subscription ${leaving?.name}?`}
        action="Delete the subscription"
        onConfirm={() => remove.mutateAsync(leaving?.id ?? '')}
      >
        The queue gets no more events. What is in it stays there.
      </ConfirmDialog>
    </TableBox>
  )
}
